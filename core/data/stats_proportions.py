"""Intervals for shares and for differences between shares, right also for few examples and for shares near 0 or 1."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import asin, sqrt
from statistics import NormalDist

import numpy as np
from scipy.special import gammaincinv, stdtrit

from core.schemas.estimates import Estimate

from .stats_degrees import degrees, even

LEVEL = 0.95
_FEW = 3  # successes or failures for which the normal approximation of the score test fails


def z_value(level: float = LEVEL) -> float:
    """The two-sided standard normal quantile, 1.96 for 95%."""
    return NormalDist().inv_cdf(0.5 + level / 2)


def wilson(successes: int, n: int, level: float = LEVEL) -> Estimate:
    """A share with its Wilson score interval (Wilson 1927, JASA 22; Newcombe 1998, Statistics in Medicine 17:857).

    With one to three successes or failures Wilson covers as little as 84%, so that end comes from the Poisson
    distribution, as the modified interval of Brown, Cai & DasGupta 2001 (Statistical Science 16:101), here with half of
    the error on either side: there the interval errs to the safe side, with up to 99%. Counts are whole numbers, so that no
    interval covers exactly 95% of the cases for each share by itself. Raises ValueError unless 0 <= successes <= n and n > 0.
    """
    if not 0 <= successes <= n or n == 0:
        raise ValueError(f"{successes} successes of {n}")
    low, high = _wilson_bounds(successes, n, level)
    if 0 < successes <= _FEW:
        low = min(low, _least(successes, level) / n)
    if 0 < n - successes <= _FEW:
        high = max(high, 1 - _least(n - successes, level) / n)
    return Estimate(value=successes / n, n=n, low=low, high=high, method="Wilson")


def wilson_by_group(outcomes: Sequence[float], groups: Sequence[Hashable], level: float = LEVEL) -> Estimate:
    """A share of rows that come in groups (0 or 1 each): Wilson with the effective number of rows, which is n over the
    design effect (Kish 1965, Survey Sampling; Korn & Graubard 1998, Survey Methodology 24:193, with Wilson for
    Clopper-Pearson). Where all rows agree it is the number of groups, which is also the `n` of the result.

    As they do, the effective number is lowered by (z / t)^2 for few groups; t has the degrees of freedom of `degrees`, so
    that three bad groups of fifty count as few. Without it five groups covered 85%.
    """
    sums: dict[Hashable, tuple[float, int]] = {}
    for outcome, group in zip(outcomes, groups, strict=True):
        right, rows = sums.get(group, (0.0, 0))
        sums[group] = (right + outcome, rows + 1)
    n, count = len(outcomes), len(sums)
    share = sum(outcomes) / n
    effective = float(count)
    if 0 < share < 1 and count > 1:
        off = np.array([right - share * rows for right, rows in sums.values()])
        spread = float(np.square(off).sum()) * count / (count - 1) / n**2
        effective = min(float(n), share * (1 - share) / spread) if spread > 0 else float(count)
        t = float(stdtrit(max(1.0, min(degrees(off, groups=groups) or count - 1, count - 1)), 0.5 + level / 2))
        # Not fewer than if all rows of a group agreed: one error among hundreds says little about its own spread.
        whole = even(groups)
        least = whole * (z_value(level) / float(stdtrit(max(1.0, whole - 1), 0.5 + level / 2))) ** 2
        effective = max(effective * (z_value(level) / t) ** 2, min(least, effective))
    low, high = _wilson_bounds(share * effective, effective, level)
    if 0 < share * effective <= _FEW:
        low = min(low, _least(share * effective, level) / effective)
    if 0 < (1 - share) * effective <= _FEW:
        high = max(high, 1 - _least((1 - share) * effective, level) / effective)
    return Estimate(value=share, n=count, low=low, high=high, method="Wilson, by group")


def newcombe_difference(successes: int, n: int, other_successes: int, other_n: int, level: float = LEVEL) -> Estimate:
    """First share minus second, of two independent samples: hybrid score interval, method 10 of Newcombe 1998
    (Statistics in Medicine 17:873). `n` of the result is the smaller sample.
    """
    below, above = _arms(successes, n, level)
    other_below, other_above = _arms(other_successes, other_n, level)
    difference = successes / n - other_successes / other_n
    return Estimate(
        value=difference,
        n=min(n, other_n),
        low=max(-1.0, difference - sqrt(below**2 + other_above**2)),
        high=min(1.0, difference + sqrt(above**2 + other_below**2)),
        method="Newcombe",
    )


def newcombe_paired(both: int, only_first: int, only_second: int, neither: int, level: float = LEVEL) -> Estimate:
    """Second share minus first, of the same examples judged twice: method 10 of Newcombe 1998 for paired data
    (Statistics in Medicine 17:2635), with its continuity-corrected phi.
    """
    n = both + only_first + only_second + neither
    phi = _paired_phi(both, only_first, only_second, neither)
    first_below, first_above = _arms(both + only_first, n, level)
    second_below, second_above = _arms(both + only_second, n, level)
    difference = (only_second - only_first) / n
    below = second_below**2 - 2 * phi * second_below * first_above + first_above**2
    above = second_above**2 - 2 * phi * second_above * first_below + first_below**2
    return Estimate(
        value=difference,
        n=n,
        low=max(-1.0, difference - sqrt(max(below, 0.0))),
        high=min(1.0, difference + sqrt(max(above, 0.0))),
        method="Newcombe, paired",
    )


def cohens_h(share: float, other: float) -> float:
    """Effect size of a difference between two shares, signed: .2 is small, .5 medium, .8 large
    (Cohen 1988, Statistical Power Analysis, chapter 6).
    """
    return 2 * asin(sqrt(share)) - 2 * asin(sqrt(other))


def _wilson_bounds(successes: float, n: float, level: float) -> tuple[float, float]:
    z = z_value(level)
    p = successes / n
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    # At the ends the formula gives exactly 0 and 1; rounding must not push it past.
    return (0.0 if successes == 0 else max(0.0, centre - half), 1.0 if successes == n else min(1.0, centre + half))


def _arms(successes: int, n: int, level: float) -> tuple[float, float]:
    """How far the plain Wilson interval reaches below and above the share; ValueError as `wilson`."""
    value = wilson(successes, n, level).value
    low, high = _wilson_bounds(successes, n, level)
    return value - low, high - value


def _least(count: float, level: float) -> float:
    """The least mean of a Poisson variable that is as large as `count` by chance (Garwood 1936, Biometrika 28:437)."""
    return float(gammaincinv(count, 0.5 - level / 2))


def _paired_phi(both: int, only_first: int, only_second: int, neither: int) -> float:
    margins = (both + only_first) * (only_second + neither) * (both + only_second) * (only_first + neither)
    if margins == 0:
        return 0.0
    cross = both * neither - only_first * only_second
    if cross > 0:
        cross = max(cross - (both + only_first + only_second + neither) / 2, 0)  # type: ignore[assignment]
    return cross / sqrt(margins)
