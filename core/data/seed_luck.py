"""How much of a result is the luck of the seed: the spread over seeds, and whether two settings differ by more.

Seeds change the order of the rows, dropout and the first numbers of an adapter or head; data and split stay as they are, so
this is the smallest part of what could vary (Bouthillier et al. 2021, "Accounting for variance in machine learning
benchmarks", MLSys). Intervals are Student's; the difference of two groups is Welch's (1947).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

LEVEL = 0.95
FEW = 5  # with fewer seeds the spread itself is known only roughly


@dataclass(frozen=True)
class Spread:
    """The figures of n runs that differ in their seed alone. `low` and `high` bound the mean with 95% confidence, `luck` is
    how far two single runs may lie apart by chance in 19 of 20 cases; None for a single run. `sd` has n - 1 below."""

    n: int
    mean: float
    least: float
    most: float
    sd: float | None = None
    low: float | None = None
    high: float | None = None
    luck: float | None = None


@dataclass(frozen=True)
class Difference:
    """Mean of the second group minus mean of the first, with its 95% interval; `real` where the interval leaves out zero."""

    value: float
    low: float
    high: float
    n: tuple[int, int]

    @property
    def real(self) -> bool:
        return self.low > 0 or self.high < 0


def spread(values: Sequence[float]) -> Spread | None:
    """None where there is no value."""
    found = np.asarray(values, dtype=float)
    n = len(found)
    if not n:
        return None
    mean, least, most = float(found.mean()), float(found.min()), float(found.max())
    if n == 1:
        return Spread(n, mean, least, most)
    sd, t = float(found.std(ddof=1)), float(stdtrit(n - 1, (1 + LEVEL) / 2))
    half = t * sd / math.sqrt(n)
    return Spread(n, mean, least, most, sd, mean - half, mean + half, t * sd * math.sqrt(2))


def difference(first: Sequence[float], second: Sequence[float]) -> Difference | None:
    """None where a group has fewer than two values. Without any spread the interval is the difference itself."""
    from scipy.stats import ttest_ind

    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if min(len(a), len(b)) < 2:
        return None
    value, n = float(b.mean() - a.mean()), (len(a), len(b))
    if a.std() == 0 and b.std() == 0:
        return Difference(value, value, value, n)
    interval = ttest_ind(b, a, equal_var=False).confidence_interval(LEVEL)
    return Difference(value, float(interval.low), float(interval.high), n)
