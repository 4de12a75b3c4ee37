"""Rates a group: who is compared with whom, how far apart they are, and whether chance explains it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import log2
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.data.statistics import newcombe_difference
from core.schemas.estimates import Estimate

RATIO = 0.8
"""A label that one group gets less than four fifths as often as another is flagged (US Uniform Guidelines on Employee
Selection Procedures, 29 CFR 1607.4 D), if the difference is also significant."""
Q = 0.025
"""Half of the usual .05: at .05, 5 of 100 random datasets without any bias raised a flag, which is the most that we allow
(`benchmarks/false_alarms.py`)."""
FEWEST = 30
"""Rows about a group from which on it is judged (house default)."""

Mask = NDArray[np.bool_]
Kind = Literal["label", "tone"]


@dataclass(frozen=True)
class GroupedRows:
    """One way to group the rows. `rows` maps a group to the indices of its rows; `titles` are plurals for sentences."""

    key: str
    title: str
    rows: dict[str, list[int]]
    titles: dict[str, str]

    def mask(self, group: str, total: int) -> Mask:
        found = np.zeros(total, dtype=bool)
        found[self.rows[group]] = True
        return found


@dataclass(frozen=True)
class Outcomes:
    """What is counted in the rows: labels of which each row has one (`codes`, -1 where it has none), or things of which it
    may have several (`matrix`, rows by names)."""

    kind: Kind
    names: tuple[str, ...]
    codes: NDArray[np.int64] | None = None
    matrix: Mask | None = None
    _having: dict[str, Mask] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of_labels(cls, labels: Sequence[str | None]) -> Outcomes:
        """The most frequent label first."""
        names = tuple(label for label, _ in Counter(label for label in labels if label).most_common())
        number = {name: i for i, name in enumerate(names)}
        return cls("label", names, codes=np.array([number.get(label or "", -1) for label in labels], dtype=np.int64))

    @classmethod
    def of_sets(cls, sets: Sequence[Sequence[str] | None]) -> Outcomes:
        names = tuple(label for label, _ in Counter(label for given in sets for label in given or ()).most_common())
        number = {name: i for i, name in enumerate(names)}
        matrix = np.zeros((len(sets), len(names)), dtype=bool)
        for row, given in enumerate(sets):
            for label in given or ():
                matrix[row, number[label]] = True
        return cls("label", names, matrix=matrix)

    @cached_property
    def known(self) -> Mask:
        """Rows for which the outcome is known."""
        if self.codes is not None:
            return self.codes >= 0
        assert self.matrix is not None
        return np.ones(len(self.matrix), dtype=bool)

    @property
    def two_sided(self) -> bool:
        """Of two labels one says everything about the other."""
        return self.codes is not None and len(self.names) == 2

    def counts(self, rows: Mask) -> NDArray[np.int64]:
        """How many of these rows have each outcome."""
        if self.codes is not None:
            return np.bincount(self.codes[rows & self.known], minlength=len(self.names))
        assert self.matrix is not None
        return self.matrix[rows].sum(axis=0)

    def has(self, name: str) -> Mask:
        """The rows with this outcome: one array however often it is asked for."""
        if name not in self._having:
            at = self.names.index(name)
            self._having[name] = self.codes == at if self.codes is not None else self.matrix[:, at]  # type: ignore[index]
        return self._having[name]


@dataclass(frozen=True)
class Contrast:
    """One group against others for one outcome, with a difference of rates (group minus others). `mine` and `theirs` are the
    rows of the two sides, `hit` those with the outcome."""

    axis: GroupedRows
    group: str
    others: tuple[str, ...]
    label: str
    hits: int
    n: int
    other_hits: int
    other_n: int
    q: float = 1.0
    kind: Kind = "label"
    mine: Mask | None = field(default=None, repr=False, compare=False)
    theirs: Mask | None = field(default=None, repr=False, compare=False)
    hit: Mask | None = field(default=None, repr=False, compare=False)

    @property
    def rate(self) -> float:
        return self.hits / self.n

    @property
    def other_rate(self) -> float:
        return self.other_hits / self.other_n

    @property
    def ratio(self) -> float:
        """The lower rate over the higher one."""
        return ratio_of(self.rate, self.other_rate)

    @property
    def p(self) -> float:
        """Of a difference that is large enough to be flagged; what is too small to be flagged is not tested (p = 1)."""
        if self.ratio >= RATIO:
            return 1.0
        return exact_p(self.hits, self.n, self.other_hits, self.other_n)

    @property
    def flagged(self) -> bool:
        return self.q < Q and self.ratio < RATIO

    @property
    def difference(self) -> Estimate:
        return newcombe_difference(self.hits, self.n, self.other_hits, self.other_n)


def ratio_of(rate: float, other: float) -> float:
    low, high = sorted((rate, other))
    return low / high if high else 1.0


def exact_p(hits: int, n: int, other_hits: int, other_n: int) -> float:
    from scipy.stats import fisher_exact

    return float(fisher_exact([[hits, n - hits], [other_hits, other_n - other_hits]]).pvalue)


def pmi(both: int, group_only: int, label_only: int, neither: int) -> float:
    """Pointwise mutual information of group and label in bits, each cell plus .5 (Church & Hanks 1990, with the
    smoothing of Haldane 1956): 0 means unrelated, 1 that they meet twice as often as by chance."""
    a, b, c, d = (cell + 0.5 for cell in (both, group_only, label_only, neither))
    return log2(a * (a + b + c + d) / ((a + b) * (a + c)))


def sides(axis: GroupedRows, known: Mask) -> Iterator[tuple[str, tuple[str, ...], Mask, Mask]]:
    """Each group with those that it is held against, as rows: the other groups of its axis, or for a group alone on its axis
    the rows that name nobody. Rows that name both of two groups say nothing about the difference between them."""
    masks = {group: axis.mask(group, len(known)) & known for group in axis.rows}
    if len(masks) == 1:
        masks[""] = known & ~next(iter(masks.values()))
    for group in axis.rows:
        others = tuple(g for g in masks if g != group)
        rest = np.any([masks[g] for g in others], axis=0)
        mine = masks[group] & ~rest if len(masks) == 2 else masks[group]
        yield group, others, mine, rest & ~masks[group]


def contrasts(axis: GroupedRows, outcomes: Outcomes, fewest: int = FEWEST) -> list[Contrast]:
    """Each group against the other groups of its axis; of two groups one contrast, of two labels one."""
    if outcomes.kind == "label" and outcomes.codes is not None and len(outcomes.names) < 2:
        return []
    result: list[Contrast] = []
    for group, others, mine, theirs in sides(axis, outcomes.known):
        n, other_n = int(mine.sum()), int(theirs.sum())
        if min(n, other_n) < fewest:
            continue
        counts, other_counts = outcomes.counts(mine), outcomes.counts(theirs)
        made = [
            Contrast(
                axis,
                group,
                others,
                name,
                int(hits),
                n,
                int(other),
                other_n,
                1.0,
                outcomes.kind,
                mine,
                theirs,
                outcomes.has(name),
            )
            for name, hits, other in zip(outcomes.names, counts, other_counts, strict=True)
        ]
        if outcomes.two_sided:
            # One test, told for the more common label unless only the other one shows it.
            made = [made[0] if made[0].ratio < RATIO else min(made, key=lambda c: c.ratio)]
        result += made
    if len(axis.rows) == 2:
        result = _one_side(result)
    return result


def _one_side(found: list[Contrast]) -> list[Contrast]:
    """Of two groups one side says it all: for labels the one that gets the first label less often, for words the one that has
    more of them."""
    if found and found[0].kind == "label":
        told = min(found, key=lambda c: (c.label != found[0].label, c.rate)).group
        return [c for c in found if c.group == told]
    kept: dict[str, Contrast] = {}
    for contrast in found:
        if contrast.label not in kept or contrast.rate > contrast.other_rate:
            kept[contrast.label] = contrast
    return list(kept.values())
