"""Find rows that two parts of the split share: a score on them shows what a model remembers, not what it can do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.schemas.estimates import Estimate
from core.schemas.examples import Split

from .duplicates import near_pairs, normalise
from .statistics import wilson

COMPARED: tuple[tuple[Split, Split], ...] = (("train", "validation"), ("train", "test"), ("validation", "test"))


class Pair(NamedTuple):
    """A row and the row of the other part that it repeats most closely; `similarity` is 1.0 for equal texts."""

    row_id: str
    source_id: str
    similarity: float


@dataclass(frozen=True)
class Overlap:
    """Rows of `part` (it has `rows`) that repeat a row of `source`. Each such row is in one pair: exact, else near."""

    source: Split
    part: Split
    rows: int
    exact: tuple[Pair, ...] = ()
    near: tuple[Pair, ...] = ()

    @property
    def share(self) -> Estimate:
        """The share of the part's rows that repeat a row of the other, exactly or nearly."""
        return wilson(len(self.exact) + len(self.near), self.rows)


def overlaps(
    texts: Mapping[str, str],
    where: Mapping[str, Split],
    threshold: float = 0.8,
    sizes: Mapping[Split, int] | None = None,
) -> list[Overlap]:
    """Overlaps between the parts, one for each pair of parts that both have rows.

    `texts` and `where` go by row id; rows that are in only one of them are passed over. Equal means equal but for case,
    width and spacing; near means a Jaccard similarity of 5-character shingles of at least `threshold`. Texts under 5
    characters are compared exactly only, blank ones not at all. `sizes` says how many rows each part has where `texts`
    holds only some of them.
    """
    rows: dict[Split, dict[str, list[str]]] = {"train": {}, "validation": {}, "test": {}}
    for row_id, text in texts.items():
        if row_id in where and (key := normalise(text)):
            rows[where[row_id]].setdefault(key, []).append(row_id)
    # Two searches, not one: a text with many neighbours in one part must not stop looking before it meets the other.
    best = _nearest(rows, [("train",), ("validation", "test")], threshold)
    best |= _nearest(rows, [("validation",), ("test",)], threshold)
    if sizes is None:
        sizes = {part: sum(map(len, found.values())) for part, found in rows.items()}
    return [
        _overlap(source, part, sizes[part], rows, best)
        for source, part in COMPARED
        if sizes.get(source) and sizes.get(part)
    ]


Nearest = dict[tuple[Split, Split, str], tuple[str, float]]


def _nearest(
    rows: Mapping[Split, Mapping[str, list[str]]], sides: Sequence[tuple[Split, ...]], threshold: float
) -> Nearest:
    """(source, part, text) to the nearest different text of the source, for texts of the second side."""
    entries = [(key, part, side) for side, parts in enumerate(sides) for part in parts for key in rows[part]]
    shared: dict[tuple[str, int], list[Split]] = defaultdict(list)
    for key, part, side in entries:
        shared[key, side].append(part)
    best: Nearest = {}
    for i, j, similarity in near_pairs([key for key, _, _ in entries], threshold, [side for _, _, side in entries]):
        first, second = sorted((entries[i], entries[j]), key=lambda entry: entry[2])
        for source in shared[first[0], first[2]]:
            for part in shared[second[0], second[2]]:
                place = (source, part, second[0])
                if place not in best or similarity > best[place][1]:
                    best[place] = (first[0], similarity)
    return best


def _overlap(
    source: Split, part: Split, size: int, rows: Mapping[Split, Mapping[str, list[str]]], best: Nearest
) -> Overlap:
    exact: list[Pair] = []
    near: list[Pair] = []
    for key, row_ids in rows[part].items():
        if key in rows[source]:
            exact += [Pair(row_id, rows[source][key][0], 1.0) for row_id in row_ids]
        elif (source, part, key) in best:
            text, similarity = best[source, part, key]
            near += [Pair(row_id, rows[source][text][0], similarity) for row_id in row_ids]
    return Overlap(source, part, size, tuple(exact), tuple(sorted(near, key=lambda pair: -pair.similarity)))
