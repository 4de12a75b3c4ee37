"""Find the words of a text that name people of a group: precise rather than complete, on word boundaries.

A word of the lexicon counts only where what stands around it shows that it means people: "black" before a person,
"Muslim" before a person or after an article, a name only with a capital.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from .english import Token, tokens_of
from .identity_english import meant_in_english
from .identity_listed import meant_by_lists
from .lexicon import Entry, Lexicon, load_lexicon

_HELD = (" ", "-", "'", "’", "\n")
_SIGN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+")
_MASKED = re.compile(r"https?://\S+|www\.\S+|\S+@\S+\.\w+|[@#]\w+|\{\{.*?\}\}|<[^<>\n]{1,80}>")


@dataclass(frozen=True, slots=True)
class TermMatch:
    """`term` is the text found at `start:end` (characters); `entry` the form of the lexicon that it is."""

    axis: str
    group: str
    term: str
    start: int
    end: int
    entry: Entry = field(repr=False, compare=False)


def find_terms(
    text: str, axes: Collection[str] | None = None, lexicon: Lexicon | None = None, telegraphic: bool = False
) -> list[TermMatch]:
    """Every identity term, in order; of overlapping ones of an axis the longest. `axes` None means all.

    `telegraphic`: in texts of a few words without grammar, a term also counts that stands alone ("hug sikh").
    """
    lexicon = lexicon or load_lexicon()
    if not text.isascii() and not unicodedata.is_normalized("NFC", text):
        return _in_composed(text, axes, lexicon, telegraphic)
    tokens = tokens_of(text) if lexicon.spaces else _signs_of(text)
    index = lexicon.entries
    if not any(token.low in index for token in tokens):
        return []
    masked = [m.span() for m in _MASKED.finditer(text)]
    ignored: dict[re.Pattern[str], list[tuple[int, int]]] = {}
    free_from: dict[str, int] = {}
    found: list[TermMatch] = []
    for i, token in enumerate(tokens):
        for alike in index.get(token.low, ()):
            axis, length = alike[0].axis, len(alike[0].words)
            if axes is not None and axis not in axes:
                continue
            if i < free_from.get(axis, 0) or not _spells(tokens, i, alike[0], lexicon.spaces):
                continue
            start, end = token.start, tokens[i + length - 1].end
            if (lexicon.spaces and _joined(text, start, end)) or _inside(start, end, masked):
                continue
            pattern = lexicon.ignored_around(axis, token.low)
            if pattern is not None:
                if pattern not in ignored:
                    ignored[pattern] = [m.span() for m in pattern.finditer(text)]
                if _inside(start, end, ignored[pattern]):
                    continue
            if lexicon.language == "en":
                entry = meant_in_english(lexicon, text, tokens, i, i + length - 1, alike, telegraphic)
            else:
                entry = meant_by_lists(lexicon, text, tokens, i, i + length - 1, alike)
            if entry is not None:
                found.append(TermMatch(axis, entry.group, text[start:end], start, end, entry))
                free_from[axis] = i + length
    return found


def groups_in(text: str, axis: str, lexicon: Lexicon | None = None) -> set[str]:
    """The groups of one axis that a text names."""
    return {match.group for match in find_terms(text, (axis,), lexicon)}


def _in_composed(text: str, axes: Collection[str] | None, lexicon: Lexicon, telegraphic: bool) -> list[TermMatch]:
    """The same for a text whose accents are signs of their own (e + ´): found in its composed form, told in its own places."""
    starts = [i for i, sign in enumerate(text) if i == 0 or not unicodedata.combining(sign)]
    pieces = [unicodedata.normalize("NFC", text[a:b]) for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]
    place = [start for start, piece in zip(starts, pieces, strict=True) for _ in piece]
    place.append(len(text))
    found = []
    for match in find_terms("".join(pieces), axes, lexicon, telegraphic):
        start, end = place[match.start], place[match.end]
        found.append(replace(match, start=start, end=end, term=text[start:end]))
    return found


def _signs_of(text: str) -> list[Token]:
    """Tokens of a language that is written without spaces: each Chinese or Japanese sign by itself."""
    found = list(_SIGN.finditer(text))
    ends = [*(m.start() for m in found[1:]), len(text)][: len(found)]
    return [
        Token(m.group(), m.group().lower(), m.start(), m.end(), text[m.end() : e])
        for m, e in zip(found, ends, strict=True)
    ]


def _spells(tokens: list[Token], i: int, entry: Entry, spaces: bool) -> bool:
    """Whether the entry's words stand at word i, held together by single blanks, hyphens or apostrophes (or by nothing)."""
    if i + len(entry.words) > len(tokens):
        return False
    return all(tokens[i + k].low == word for k, word in enumerate(entry.words)) and all(
        tokens[i + k].gap in (_HELD if spaces else ("",)) for k in range(len(entry.words) - 1)
    )


def _inside(start: int, end: int, spans: list[tuple[int, int]]) -> bool:
    return any(start < b and a < end for a, b in spans)


def _joined(text: str, start: int, end: int) -> bool:
    """Whether the term is part of a compound ("man-made", "snake_he")."""
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    return bool(re.search(r"\w[-_]$|_$", before) or re.match(r"[-_]\w|_", after))
