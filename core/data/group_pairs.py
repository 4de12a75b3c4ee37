"""Two groups at once: does a label go with Black women in a way that neither "Black" nor "women" explains?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import log, sqrt
from statistics import NormalDist

from .group_rates import FEWEST, RATIO, GroupedRows, Mask, Outcomes, Q, exact_p, ratio_of

MOST_LABELS = 12
"""The most frequent labels are looked at; with hundreds of them hardly any pair has rows enough."""


@dataclass(frozen=True)
class Pair:
    """Rows that name both groups."""

    first: tuple[GroupedRows, str]
    second: tuple[GroupedRows, str]
    both: Mask = field(repr=False)
    only_first: Mask = field(repr=False)
    only_second: Mask = field(repr=False)
    neither: Mask = field(repr=False)

    @property
    def title(self) -> str:
        return " and ".join(axis.titles[group] for axis, group in (self.first, self.second))


@dataclass(frozen=True)
class Crossed:
    """How often the rows of both groups have a label, against the other rows of the first and of the second group."""

    pair: Pair
    label: str
    hits: int
    n: int
    first_hits: int
    first_n: int
    second_hits: int
    second_n: int
    neither_hits: int
    neither_n: int
    q: float = 1.0

    @property
    def rate(self) -> float:
        return self.hits / self.n

    @property
    def first_rate(self) -> float:
        return self.first_hits / self.first_n

    @property
    def second_rate(self) -> float:
        return self.second_hits / self.second_n

    @property
    def ratio(self) -> float:
        """The milder of the two; 1 where the pair lies between the two groups, which then explain it."""
        if (self.rate - self.first_rate) * (self.rate - self.second_rate) <= 0:
            return 1.0
        return max(ratio_of(self.rate, self.first_rate), ratio_of(self.rate, self.second_rate))

    @property
    def p(self) -> float:
        """The largest of three tests, for all must be more than chance (intersection-union test, Berger 1982, Technometrics 24):
        the pair against each of its groups, and that it is more than both of them. Too small a difference is not tested."""
        if self.ratio >= RATIO:
            return 1.0
        return max(
            self._p_adds_up,
            exact_p(self.hits, self.n, self.first_hits, self.first_n),
            exact_p(self.hits, self.n, self.second_hits, self.second_n),
        )

    @property
    def _p_adds_up(self) -> float:
        """That the differences which each group makes by itself explain the pair's: whether they add up, or multiply the chance
        of the label, or that of not having it (two groups may do each without meaning anything together). The largest p of the
        three; normal approximation with one success and one failure more in each cell (Agresti & Caffo 2000)."""
        sides = (
            (self.hits, self.n), (self.neither_hits, self.neither_n), (self.first_hits, self.first_n),
            (self.second_hits, self.second_n),
        )  # fmt: skip
        shares = [((hits + 1) / (n + 2), n + 2) for hits, n in sides]
        up = 1 if self.rate > self.first_rate else -1
        tests = [
            ([share for share, _ in shares], [share * (1 - share) / n for share, n in shares], up),
            ([log(share) for share, _ in shares], [(1 - share) / (share * n) for share, n in shares], up),
            ([log(1 - share) for share, _ in shares], [share / ((1 - share) * n) for share, n in shares], -up),
        ]
        worst = 0.0
        for (pair, neither, first, second), variances, direction in tests:
            z = direction * (pair + neither - first - second) / sqrt(sum(variances))
            worst = max(worst, 2 * NormalDist().cdf(-z) if z > 0 else 1.0)
        return worst

    @property
    def flagged(self) -> bool:
        return self.q < Q and self.ratio < RATIO


def pairs(axes: Sequence[GroupedRows], known: Mask, fewest: int = FEWEST) -> Iterator[Pair]:
    """Every two groups of different axes with at least `fewest` rows that name both."""
    for first, second in combinations(axes, 2):
        masks = [
            {group: axis.mask(group, len(known)) & known for group, rows in axis.rows.items() if len(rows) >= fewest}
            for axis in (first, second)
        ]
        for g, mine in masks[0].items():
            for h, theirs in masks[1].items():
                both = mine & theirs
                if both.sum() >= fewest:
                    yield Pair((first, g), (second, h), both, mine & ~both, theirs & ~both, known & ~mine & ~theirs)


def crossed(found: Sequence[Pair], outcomes: Outcomes, fewest: int = FEWEST) -> list[Crossed]:
    """What can be judged: pairs whose two groups have enough rows without the other one too."""
    result = []
    tested = outcomes.names[:1] if outcomes.two_sided else outcomes.names[:MOST_LABELS]
    for pair in found:
        sizes = [int(mask.sum()) for mask in (pair.both, pair.only_first, pair.only_second, pair.neither)]
        if min(sizes) < fewest:
            continue
        counts = [outcomes.counts(mask) for mask in (pair.both, pair.only_first, pair.only_second, pair.neither)]
        for name in tested:
            made = [_one(pair, outcomes, name, counts, sizes)]
            if outcomes.two_sided:
                made.append(_one(pair, outcomes, outcomes.names[1], counts, sizes))
            result.append(made[0] if made[0].ratio < RATIO else min(made, key=lambda c: c.ratio))
    return result


def _one(pair: Pair, outcomes: Outcomes, name: str, counts: Sequence[object], sizes: Sequence[int]) -> Crossed:
    at = outcomes.names.index(name)
    both, first, second, neither = (int(side[at]) for side in counts)  # type: ignore[index]
    return Crossed(pair, name, both, sizes[0], first, sizes[1], second, sizes[2], neither, sizes[3])
