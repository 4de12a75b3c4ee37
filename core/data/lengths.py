"""Arithmetic on example lengths in tokens: what a maximum length cuts, and how much of a batch is padding."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

SHUFFLE = 17  # seed of the order in which padded batches are formed


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


@dataclass(frozen=True)
class Packing:
    """`sequences` of `max_length` tokens hold all examples; `waste` is the share of their room that stays empty."""

    sequences: int
    max_length: int
    waste: float


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


def padding_waste(lengths: Sequence[int], max_length: int, batch_size: int) -> float:
    """Share of padding among all positions when shuffled batches are padded to their longest example, 0 to 1."""
    if not len(lengths):
        return 0.0
    kept = np.minimum(np.asarray(lengths, dtype=np.int64), max_length)
    kept = np.random.default_rng(SHUFFLE).permutation(kept)
    longest = np.maximum.reduceat(kept, np.arange(0, len(kept), batch_size))
    sizes = np.full(len(longest), batch_size)
    sizes[-1] = len(kept) - batch_size * (len(longest) - 1)
    positions = int((longest * sizes).sum())
    return 1 - int(kept.sum()) / positions if positions else 0.0


def packing(lengths: Sequence[int], max_length: int) -> Packing:
    """Pack whole examples (cut to `max_length`) into sequences: longest first, each where it leaves the least room.

    Best-fit decreasing, as trl packs with the strategy "bfd_split".
    """
    open_rooms: list[int] = []  # different amounts of room that some sequence has left, ascending
    count: Counter[int] = Counter()
    sequences = 0

    def leave(room: int) -> None:
        if count[room] == 0:
            insort(open_rooms, room)
        count[room] += 1

    for length in sorted((min(n, max_length) for n in lengths if n > 0), reverse=True):
        place = bisect_left(open_rooms, length)
        if place == len(open_rooms):
            sequences += 1
            leave(max_length - length)
            continue
        room = open_rooms[place]
        count[room] -= 1
        if count[room] == 0:
            del open_rooms[place]
        leave(room - length)
    tokens = sum(min(n, max_length) for n in lengths)
    return Packing(sequences, max_length, 1 - tokens / (sequences * max_length) if sequences else 0.0)
