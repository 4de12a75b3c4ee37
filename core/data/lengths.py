"""Arithmetic on example lengths in tokens: what a maximum length cuts, and into which parts a long text is taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True)
class Bin:
    """`count` examples of `low` to `high` tokens (both included)."""

    low: int
    high: int
    count: int


@dataclass(frozen=True)
class Coverage:
    """What a maximum length does: rows cut and tokens lost, out of all."""

    max_length: int
    rows: int
    rows_cut: int
    tokens: int
    tokens_lost: int

    @property
    def share_cut(self) -> float:
        """Share of the rows that are cut, 0 to 1."""
        return self.rows_cut / self.rows if self.rows else 0.0

    @property
    def share_lost(self) -> float:
        """Share of the tokens that are lost, 0 to 1."""
        return self.tokens_lost / self.tokens if self.tokens else 0.0


def histogram(lengths: Sequence[int], bins: int = 40) -> list[Bin]:
    """Counts in bins of equal whole width, at most `bins` of them, from the shortest to the longest example."""
    if not len(lengths):
        return []
    low, high = min(lengths), max(lengths)
    width = max(1, -(-(high - low + 1) // bins))
    counts = Counter((length - low) // width for length in lengths)
    return [Bin(low + k * width, low + (k + 1) * width - 1, counts[k]) for k in range(max(counts) + 1)]


def coverage(lengths: Sequence[int], max_length: int) -> Coverage:
    """Rows and tokens beyond `max_length`. (Long completions go on in a further part instead: they lose nothing.)"""
    over = [length - max_length for length in lengths if length > max_length]
    return Coverage(max_length, len(lengths), len(over), sum(lengths), sum(over))


def suggested_max_length(lengths: Sequence[int], context_length: int = 0, share: float = 0.99) -> int:
    """The shortest length that leaves `share` of the examples whole, rounded up to a multiple of 8, within the context.

    `context_length` 0 means not known. At least 8.
    """
    if not len(lengths):
        wanted = 256
    else:
        wanted = sorted(lengths)[max(0, ceil(share * len(lengths)) - 1)]
    rounded = max(8, -(-wanted // 8) * 8)
    return min(rounded, context_length) if context_length else rounded


def parts_of(tokens: int, room: int, overlap: int = 0) -> list[tuple[int, int]]:
    """Where the parts of a text of `tokens` tokens begin and end: of equal size, each at most `room` tokens.

    Each part begins with the last `overlap` tokens of the one before it. `overlap` must be less than `room`.
    """
    count = max(1, ceil((tokens - overlap) / (room - overlap)))
    spread = tokens + (count - 1) * overlap  # tokens of all parts together
    starts = [spread * k // count - k * overlap for k in range(count)]
    return [(start, spread * (k + 1) // count - k * overlap) for k, start in enumerate(starts)]


def kept(lengths: Sequence[int], max_length: int, *, in_parts: bool, opening: int = 0, overlap: int = 0) -> list[int]:
    """The lengths that training sees: cut to `max_length`, or of each part of the texts that are read in parts.

    `opening` is the number of tokens that stand at the beginning of every text and of every part of it.
    """
    if not in_parts:
        return [min(n, max_length) for n in lengths]
    out: list[int] = []
    room = max_length - opening
    for n in lengths:
        if n <= max_length:
            out.append(n)
        else:
            out += [opening + b - a for a, b in parts_of(n - opening, room, min(overlap, room // 2))]
    return out
