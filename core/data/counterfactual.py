"""The same text about a person of another group: identity words swapped, grammar and capitals kept.

A swap is left out where the text would no longer make sense or would no longer be true; each with its reason.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from core.schemas.examples import Example, Message

from .english import article, tokens_of
from .english_words import CLOSED
from .identity import TermMatch, find_terms
from .lexicon import Axis, Lexicon, load_lexicon

_QUOTED = re.compile(r"\"[^\"\n]+\"|“[^”\n]+”|«[^»\n]+»|(?<!\w)‘[^’\n]+’(?!\w)")
_SENTENCE_START = re.compile(r"(?:^|[.!?:\n\x1e][\"“'(\s]*)$")
_ARTICLE = re.compile(r"(?<!\w)(an?)( )$", re.IGNORECASE)
NEAR = 20  # characters before a word in which an article or the start of its sentence is looked for
_BETWEEN_MESSAGES = "\x1e"


class LeftOut(StrEnum):
    """Why a text that names people of a group has no counterpart, in words for a person."""

    ASYMMETRIC = "the text is about something that does not fit every group, such as a pregnancy or a holiday"
    QUOTATION = "the identity word stands in a quotation"
    NAMED_PERSON = "the text names one particular or well-known person"
    NO_COUNTERPART = "the identity word has no counterpart for the other group"


@dataclass(frozen=True, slots=True)
class Replacement:
    """`before` at characters `start:end` of the source text became `after`."""

    start: int
    end: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Swap:
    """`mixed` says that the source named both groups, so that they changed places."""

    text: str
    from_group: str
    to_group: str
    axis: str
    replaced: tuple[Replacement, ...]
    mixed: bool = False


@dataclass(frozen=True, slots=True)
class ExampleSwap:
    example: Example
    swap: Swap


def swaps(
    text: str, axes: Collection[str] | None = None, lexicon: Lexicon | None = None, most: int | None = None
) -> list[Swap]:
    """Every counterfactual of the text, one axis at a time; at most `most` an axis (a fixed choice by the text)."""
    return examine(text, axes, lexicon, most)[0]


def examine(
    text: str, axes: Collection[str] | None = None, lexicon: Lexicon | None = None, most: int | None = None
) -> tuple[list[Swap], dict[str, LeftOut]]:
    """The swaps of a text and, for each axis that it names but has no swap for, the reason."""
    lexicon = lexicon or load_lexicon()
    if not lexicon.swaps:
        raise ValueError(f"texts in {lexicon.title} must not be swapped; ask require_swaps first")
    found: list[Swap] = []
    left_out: dict[str, LeftOut] = {}
    by_axis: dict[str, list[TermMatch]] = {}
    for match in find_terms(text, axes, lexicon):
        if lexicon.axis(match.axis).swapped:
            by_axis.setdefault(match.axis, []).append(match)
    for key, matches in by_axis.items():
        reason = _reason_against(text, key, matches, lexicon)
        made = [] if reason else _swaps_of_axis(text, lexicon, lexicon.axis(key), matches)
        if most is not None and len(made) > most:
            made = sorted(made, key=lambda swap: _digest(text, swap.to_group))[:most]
        found += made
        if not made:
            left_out[key] = reason or LeftOut.NO_COUNTERPART
    return found, left_out


def swap_example(
    example: Example, axes: Collection[str] | None = None, lexicon: Lexicon | None = None, most: int | None = None
) -> list[ExampleSwap]:
    """Counterfactuals of a whole example: a conversation is swapped as one, question and answers alike.

    The copies keep row id and label; giving them ids of their own is the caller's part.
    """
    if not example.messages:
        made = swaps(example.text, axes, lexicon, most)
        return [ExampleSwap(example.model_copy(update={"text": swap.text}), swap) for swap in made]
    joined = _BETWEEN_MESSAGES.join((*(message.content for message in example.messages), example.rejected))
    result = []
    for swap in swaps(joined, axes, lexicon, most):
        *parts, rejected = swap.text.split(_BETWEEN_MESSAGES)
        messages = tuple(Message(role=m.role, content=c) for m, c in zip(example.messages, parts, strict=True))
        result.append(ExampleSwap(example.model_copy(update={"messages": messages, "rejected": rejected}), swap))
    return result


def text_of(example: Example) -> str:
    """All words of an example as one text."""
    return "\n".join(message.content for message in example.messages) if example.messages else example.text


def labels_about(labels: Iterable[str | None], lexicon: Lexicon | None = None) -> dict[str, str]:
    """Axes that a label is itself about, with that label ("male", "racism"): there a swap would falsify the label."""
    lexicon = lexicon or load_lexicon()
    found: dict[str, str] = {}
    for label in sorted({label for label in labels if label}):
        words = set(re.findall(r"[^\W_]+", label.lower()))
        for axis in lexicon.axes:
            telling = {*axis.label_words, *(group.key for group in axis.groups)}
            for term_set in axis.sets:
                if term_set.kind in ("noun", "adjective") and term_set.guard == "any":
                    telling |= {form.lower() for forms in term_set.terms.values() for form in forms}
            if words & telling:
                found.setdefault(axis.key, label)
    return found


def _reason_against(text: str, axis: str, matches: list[TermMatch], lexicon: Lexicon) -> LeftOut | None:
    if lexicon.asymmetric[axis].search(text):
        return LeftOut.ASYMMETRIC
    if _names_somebody(text, matches, lexicon):
        return LeftOut.NAMED_PERSON
    quoted = [m.span() for m in _QUOTED.finditer(text) if m.end() - m.start() < 0.9 * len(text.strip())]
    if any(start < match.end and match.start < end for match in matches for start, end in quoted):
        return LeftOut.QUOTATION
    return None


def _names_somebody(text: str, matches: list[TermMatch], lexicon: Lexicon) -> bool:
    """A well-known person, somebody in office ("President Smith"), or a first name with a surname."""
    tokens = tokens_of(text)
    if any(token.text in lexicon.public_people for token in tokens):
        return True
    first_names = {match.start for match in matches if match.entry.kind == "name"}
    for token, following in pairwise(tokens):
        if token.gap != " " or not following.text[0].isupper() or following.low in CLOSED:
            continue
        if token.low in lexicon.office_titles and len(following.text) > 1:
            return True
        if token.start in first_names and following.text[1:].islower():
            return True
    return False


def _swaps_of_axis(text: str, lexicon: Lexicon, axis: Axis, matches: list[TermMatch]) -> list[Swap]:
    present = list(dict.fromkeys(match.group for match in matches))
    result: list[Swap] = []
    for source in present:
        for target in (group.key for group in axis.groups):
            # Both named: swapping either way gives the same text, so it is made once.
            if target == source or (target in present and present.index(target) < present.index(source)):
                continue
            replaced = _replacements(text, lexicon, axis, matches, {source: target, target: source})
            if replaced is not None:
                swapped = _apply(text, replaced)
                result.append(Swap(swapped, source, target, axis.key, tuple(replaced), mixed=target in present))
    return result


def _replacements(
    text: str, lexicon: Lexicon, axis: Axis, matches: list[TermMatch], to: dict[str, str]
) -> list[Replacement] | None:
    """None where a word has no counterpart."""
    result: list[Replacement] = []
    names: dict[str, str] = {}
    for match in matches:
        if match.group not in to:
            continue
        after = _counterpart(axis, match, to[match.group], text, names)
        if after is None or lexicon.is_removed(axis.key, after):
            return None
        after = _with_case(
            match, after, at_start=bool(_SENTENCE_START.search(text[max(0, match.start - NEAR) : match.start]))
        )
        result += _article_change(text, match, after)
        result.append(Replacement(match.start, match.end, match.term, after))
    return result


def _counterpart(axis: Axis, match: TermMatch, target: str, text: str, names: dict[str, str]) -> str | None:
    entry = match.entry
    if entry.kind == "name":
        if match.term not in names:
            pool = entry.term_set if entry.guard == "any" else next(s for s in axis.sets if s.kind == "name")
            free = [n for n in pool.terms.get(target, ()) if n not in names.values() and n not in text]
            if not free:
                return None
            names[match.term] = min(free, key=lambda name: _digest(match.term, name))
        return names[match.term]
    forms = entry.term_set.terms.get(target, ())
    if entry.slot < len(forms):
        return forms[entry.slot]
    if entry.kind != "noun":
        return None
    group = axis.group(target)
    if not group.adjective or entry.slot > 1:
        return group.person if group.person and entry.slot == 0 else None
    return f"{group.adjective} {('person', 'people')[entry.slot]}"


def _with_case(match: TermMatch, after: str, at_start: bool) -> str:
    """Capitals as the source word had them."""
    before, written = match.term, match.entry.term
    if before.isupper() and len(before) > 1 and not written.isupper():
        return after.upper()
    if before.islower() and not written.islower():
        return after.lower()
    if before[0].isupper() and (at_start or written[0].islower()):
        return after[0].upper() + after[1:]
    return after


def _article_change(text: str, match: TermMatch, after: str) -> list[Replacement]:
    """ "a Muslim" becomes "an atheist"."""
    offset = max(0, match.start - NEAR)
    found = _ARTICLE.search(text[offset : match.start])
    if not found:
        return []
    before, right = found.group(1), article(after)
    if before.lower() == right:
        return []
    upper = match.term.isupper() and before[0].isupper()
    written = right.upper() if upper else right.capitalize() if before[0].isupper() else right
    return [Replacement(offset + found.start(1), offset + found.end(1), before, written)]


def _apply(text: str, replaced: Sequence[Replacement]) -> str:
    parts, at = [], 0
    for piece in replaced:
        parts += [text[at : piece.start], piece.after]
        at = piece.end
    return "".join([*parts, text[at:]])


def _digest(*words: str) -> bytes:
    """A stable order that depends on nothing but the words."""
    return hashlib.sha256("\x1f".join(words).encode()).digest()
