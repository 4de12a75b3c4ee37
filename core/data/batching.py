"""What padding and packing cost: batches are formed from real lengths by the rules of the collator, the sampler and trl.

Only the order is drawn anew (numpy here, torch in the training), so shares differ from the training's by chance alone.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Strategy = Literal["pack", "bucket", "batch", "fixed"]
SHUFFLE = 17  # seed of the order in which batches are formed
PACKED_TOGETHER = 1000  # examples among which trl packs: the batch size of `Dataset.map`
BATCHES_SORTED = 50  # batches that are sorted by length together: transformers' `get_length_grouped_indices`


@dataclass(frozen=True)
class Waste:
    """One round under a strategy. `positions` are the places that the model works through, padding included."""

    strategy: Strategy
    batches: int
    positions: int
    tokens: int

    @property
    def padding(self) -> float:
        """Share of padding among all positions, 0 to 1."""
        return 1 - self.tokens / self.positions if self.positions else 0.0


def simulate(lengths: Sequence[int], max_length: int, batch_size: int, strategy: Strategy) -> Waste:
    """One round over examples of these lengths (none above `max_length`) in batches of `batch_size` rows."""
    tokens = sum(lengths)
    rows = packed_lengths(lengths, max_length) if strategy == "pack" else [n for n in lengths if n > 0]
    if strategy == "fixed":
        return Waste(strategy, -(-len(rows) // batch_size), len(rows) * max_length, tokens)
    sizes = np.asarray(rows, dtype=np.int64)
    order = np.random.default_rng(SHUFFLE).permutation(len(sizes))
    if strategy == "bucket":
        order = _similar_together(sizes, order, batch_size)
    ordered = sizes[order]
    positions = 0
    for start in range(0, len(ordered), batch_size):
        batch = ordered[start : start + batch_size]
        positions += int(batch.max()) * len(batch)
    return Waste(strategy, -(-len(rows) // batch_size), positions, tokens)


def _similar_together(sizes: np.ndarray, order: np.ndarray, batch_size: int) -> np.ndarray:
    """The order of transformers' LengthGroupedSampler: sorted by length among the rows of up to 50 batches."""
    together = batch_size * max(1, min(len(sizes) // (batch_size * 4), BATCHES_SORTED))
    stretches = [order[start : start + together] for start in range(0, len(order), together)]
    return np.concatenate([s[np.argsort(-sizes[s], kind="stable")] for s in stretches]) if stretches else order


def packed_lengths(lengths: Sequence[int], max_length: int) -> list[int]:
    """Tokens of each packed sequence: best-fit decreasing among 1,000 examples at a time, as trl's "bfd_split" packs."""
    every = [n for n in lengths if n > 0]
    out: list[int] = []
    for start in range(0, len(every), PACKED_TOGETHER):
        out += [max_length - room for room in _rooms(every[start : start + PACKED_TOGETHER], max_length)]
    return out


def _rooms(lengths: Sequence[int], max_length: int) -> Iterator[int]:
    """The room that each sequence has left: longest first, each where it leaves the least room."""
    open_rooms: list[int] = []  # different amounts of room that some sequence has left, ascending
    count: Counter[int] = Counter()

    def leave(room: int) -> None:
        if count[room] == 0:
            insort(open_rooms, room)
        count[room] += 1

    for length in sorted(lengths, reverse=True):
        place = bisect_left(open_rooms, length)
        if place == len(open_rooms):
            leave(max_length - length)
            continue
        room = open_rooms[place]
        count[room] -= 1
        if count[room] == 0:
            del open_rooms[place]
        leave(room - length)
    for room, sequences in count.items():
        yield from [room] * sequences
