"""The words that an answer hangs on: each word is left out by itself, and the model is asked again.

This is occlusion (leave one out; Li, Monroe and Jurafsky 2016, arXiv 1612.08220). It says what this one answer rests on. It
does not say why the model learned it, and it misses words that only count together, or of which one can stand for the other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from .wordsplit import without_spaces

MOST_PIECES = 48
"""Texts that the model is asked again; a longer text is left out in groups of neighbouring words."""
MARKED_FROM = 0.05
"""Share of the whole range from which a word is marked (house threshold): less is hardly seen in the answer."""
LEVELS = (MARKED_FROM, 0.15, 0.35)
_SPACED = re.compile(r"\S+")
_CHARACTER = re.compile(r"[^\W_]", re.UNICODE)


@dataclass(frozen=True)
class Span:
    """Characters `start` to `end` of the text."""

    start: int
    end: int


@dataclass(frozen=True)
class Marked:
    """A stretch of the text. `change` is how much the figure falls without it (negative: it rises); None for what lies
    between the words. `level` 0 is not marked, 3 is the strongest."""

    text: str
    change: float | None = None
    level: int = 0
    side: Literal["for", "against", ""] = ""


def spans(text: str, most: int = MOST_PIECES) -> list[Span]:
    """The words of a text, or its characters where the script puts no spaces between words; neighbours are joined until
    there are at most `most`. A word keeps its punctuation, which goes with it."""
    if without_spaces([text]):
        found = [Span(m.start(), m.end()) for m in _CHARACTER.finditer(text)]
    else:
        found = [Span(m.start(), m.end()) for m in _SPACED.finditer(text) if _CHARACTER.search(m[0])]
    if len(found) <= most:
        return found
    # Groups of nearly equal size, so that the last one is no smaller than the others by chance.
    bounds = [round(i * len(found) / most) for i in range(most + 1)]
    return [Span(found[a].start, found[b - 1].end) for a, b in pairwise(bounds)]


def without_each(text: str, pieces: Sequence[Span]) -> list[str]:
    """The text once for each piece, without it. Two spaces that meet become one, so that nothing else is new to the model."""
    out = []
    for piece in pieces:
        before, after = text[: piece.start], text[piece.end :]
        if before[-1:].isspace() and after[:1].isspace():
            after = after[1:]
        out.append((before + after).strip())
    return out


def marked(
    text: str, pieces: Sequence[Span], whole: float, left_out: Sequence[float], span: float = 1.0
) -> list[Marked]:
    """The text as stretches with what each piece changes: figure of the whole text minus the figure without the piece.

    `span` is the width of the figure's range, 1 for a probability. Raises ValueError where figures are missing.
    """
    out: list[Marked] = []
    place = 0
    for piece, figure in zip(pieces, left_out, strict=True):
        if piece.start > place:
            out.append(Marked(text[place : piece.start]))
        change = whole - figure
        level = sum(1 for step in LEVELS if span > 0 and abs(change) / span >= step)
        side: Literal["for", "against", ""] = "" if not level else "for" if change > 0 else "against"
        out.append(Marked(text[piece.start : piece.end], change, level, side))
        place = piece.end
    if place < len(text):
        out.append(Marked(text[place:]))
    return out


def strongest(found: Sequence[Marked], most: int = 3) -> list[Marked]:
    """The marked pieces, the one that changes most first."""
    return sorted((m for m in found if m.level), key=lambda m: -abs(m.change or 0.0))[:most]
