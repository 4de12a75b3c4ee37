"""The lexicon with a person's own words: added groups and terms, and words of ours that do not count."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from core.schemas.errors import UserError
from core.schemas.identity import OwnTerm, OwnWords, Removed

from .english_words import CLOSED
from .lexicon import Axis, Entry, Group, Lexicon, TermSet, languages, load_lexicon, spelled, without_accents

NONE = OwnWords()
LONGEST, MOST_TERMS = 60, 500
FIX = "Correct this line and save again. Nothing was changed so far."


@lru_cache(maxsize=16)
def lexicon_for(language: str, own: OwnWords = NONE) -> Lexicon:
    """The lexicon of a language with these changes. A language without a list of ours has the person's own words alone.

    Raises UserError where there is neither, and where a word cannot be used.
    """
    if language in languages():
        lexicon = load_lexicon(language)
    elif own.terms:
        lexicon = Lexicon(language=language, title=f"“{language}”", axes=(), swaps=False)
    else:
        return load_lexicon(language)
    return _added(_without(lexicon, own.removed), own.terms) if own != NONE else lexicon


def knows(language: str, own: OwnWords = NONE) -> bool:
    """Whether there are words to look for in this language."""
    return language in languages() or bool(own.terms)


def own_axes(lexicon: Lexicon) -> tuple[str, ...]:
    """Kinds of groups that the person made up; an audit looks at them whatever else was chosen."""
    known = {axis.key for axis in load_lexicon(lexicon.language).axes} if lexicon.language in languages() else set()
    return tuple(axis.key for axis in lexicon.axes if axis.key not in known)


def check(language: str, own: OwnWords) -> Lexicon:
    """The lexicon with these changes, if they can be used. Raises UserError that names the line and what is wrong."""
    if len(own.terms) > MOST_TERMS:
        raise UserError(
            "The list is too long.", f"It has {len(own.terms):,} lines; {MOST_TERMS} are the limit.", "Remove some."
        )
    for number, term in enumerate(own.terms, start=1):
        _check_line(number, term, language)
    lexicon = lexicon_for(language, own)
    _check_twice(lexicon, own)
    return lexicon


def _check_line(number: int, term: OwnTerm, language: str) -> None:
    for value, name in ((term.axis, "kind of group"), (term.group, "group")):
        if not value.strip():
            raise UserError(f"Line {number} is not complete.", f"It has no {name}.", FIX)
        if len(value) > LONGEST:
            raise UserError(f"Line {number}: the {name} is too long.", f"The limit is {LONGEST} letters.", FIX)
    if not term.forms or not any(form.strip() for form in term.forms):
        raise UserError(f"Line {number} is not complete.", "It has no word to look for.", FIX)
    for form in term.forms:
        if len(form) > LONGEST:
            raise UserError(f"Line {number}: a word is too long.", f"The limit is {LONGEST} letters.", FIX)
        if not re.search(r"[^\W\d_]", form) or re.search(r"[+|<>{}@#\\]", form):
            raise UserError(
                f"Line {number}: “{form}” is no word.", "A word has letters, and no signs such as + or @.", FIX
            )
        if len(form) < 2 and form.isascii():
            raise UserError(
                f"Line {number}: “{form}” is too short.", "One letter would be found nearly everywhere.", FIX
            )
        if language == "en" and form.lower() in CLOSED:
            raise UserError(
                f"Line {number}: “{form}” is too common.",
                "It is one of the words that hold every sentence together, so nearly every row would count.",
                FIX,
            )


def _check_twice(lexicon: Lexicon, own: OwnWords) -> None:
    """One word cannot name two groups of the same kind."""
    for number, term in enumerate(own.terms, start=1):
        axis = _find_axis(lexicon, term.axis)
        group = _find_group(axis, term.group) if axis else None
        if axis is None or group is None:
            continue
        for form in term.forms:
            clash = next((e for e in _entries(lexicon, axis.key, form) if e.group != group.key), None)
            if clash is not None:
                raise UserError(
                    f"Line {number}: “{form}” would name two groups.",
                    f"In “{axis.title}” it stands for {axis.group(clash.group).title} already.",
                    "Take it out there first (untick it in our list, or correct your other line), and save again.",
                )


def _entries(lexicon: Lexicon, axis: str, form: str) -> Iterator[Entry]:
    words = lexicon.words_of(form)
    for alike in lexicon.entries.get(words[0], ()) if words else ():
        if alike[0].axis == axis and alike[0].words == words:
            yield from alike


def words_of(lexicon: Lexicon, axis: str) -> list[tuple[str, str, str]]:
    """(group title, word as listed, kind) of one axis, in the order of the file, each word once."""
    found: dict[tuple[str, str], str] = {}
    known = lexicon.axis(axis)
    for term_set in known.sets:
        for group, forms in term_set.sources():
            for form in forms:
                for word in spelled(form, lexicon.endings)[:1]:
                    found.setdefault((known.group(group).title, word), term_set.kind)
    return [(title, word, kind.replace("_", " ")) for (title, word), kind in found.items()]


def _without(lexicon: Lexicon, removed: Sequence[Removed]) -> Lexicon:
    gone: dict[str, tuple[str, ...]] = {}
    for one in removed:
        gone[one.axis] = (*gone.get(one.axis, ()), one.word.lower())
    return lexicon.changed(removed=gone) if gone else lexicon


def _added(lexicon: Lexicon, terms: Sequence[OwnTerm]) -> Lexicon:
    for term in terms:
        lexicon = lexicon.with_axes([_with_term(lexicon, term)])
    return lexicon


def _with_term(lexicon: Lexicon, term: OwnTerm) -> Axis:
    axis = _find_axis(lexicon, term.axis) or Axis(key=_key(term.axis), title=term.axis.strip(), groups=(), sets=())
    group = _find_group(axis, term.group)
    if group is None:
        adjective = term.forms[0] if term.kind == "adjective" else ""
        group = Group(key=_key(term.group), title=term.group.strip(), adjective=adjective)
        axis = axis.model_copy(update={"groups": (*axis.groups, group)})
    elif not group.adjective and term.kind == "adjective":
        better = group.model_copy(update={"adjective": term.forms[0]})
        axis = axis.model_copy(update={"groups": tuple(better if g.key == group.key else g for g in axis.groups)})
    if term.kind == "noun" and not group.person and not group.adjective:
        named = group.model_copy(update={"person": term.forms[0]})
        axis = axis.model_copy(update={"groups": tuple(named if g.key == group.key else g for g in axis.groups)})
    return axis.model_copy(update={"sets": _sets_with(axis, group.key, term, lexicon)})


def _sets_with(axis: Axis, group: str, term: OwnTerm, lexicon: Lexicon) -> tuple[TermSet, ...]:
    """The word joins the set that its kind is swapped in (the first one of several groups for adjectives and names, own
    nouns have a set of their own), as the group's word where it has none there, else as a variant of it."""
    guard = "people_or_place" if term.kind == "adjective" and lexicon.people else "any"
    sets = list(axis.sets)
    for i, known in enumerate(sets):
        if known.kind != term.kind or (term.kind == "noun" and not _is_own(known, axis)) or known.source:
            continue
        if isinstance(known.guard, dict):
            known = known.model_copy(update={"guard": known.guard | {group: known.guard.get(group, guard)}})
        if known.terms.get(group):
            rows = (*known.variants.get(group, ()), term.forms)
            sets[i] = known.model_copy(update={"variants": known.variants | {group: rows}})
        else:
            sets[i] = known.model_copy(update={"terms": known.terms | {group: term.forms}})
        return tuple(sets)
    return (*sets, TermSet(kind=term.kind, terms={group: term.forms}, guard=guard))


def _is_own(term_set: TermSet, axis: Axis) -> bool:
    return not any(term_set == one for known in _shipped(axis.key) for one in known.sets)


def _shipped(axis: str) -> Iterator[Axis]:
    for language in languages():
        yield from (one for one in load_lexicon(language).axes if one.key == axis)


def _find_axis(lexicon: Lexicon, name: str) -> Axis | None:
    return next((a for a in lexicon.axes if name.strip().casefold() in (a.key, a.title.casefold())), None)


def _find_group(axis: Axis, name: str) -> Group | None:
    return next((g for g in axis.groups if name.strip().casefold() in (g.key, g.title.casefold())), None)


def _key(title: str) -> str:
    """A key that cannot be one of ours."""
    return "own_" + "_".join(re.findall(r"\w+", without_accents(title.casefold())))
