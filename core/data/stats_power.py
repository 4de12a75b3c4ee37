"""How many examples a question needs: what a test set of n rows can tell, and how many more would decide."""

from __future__ import annotations

from functools import cache
from itertools import count
from math import ceil, exp, lgamma, log, log1p, sqrt
from statistics import NormalDist

import numpy as np

from core.schemas.estimates import Estimate

from .stats_proportions import LEVEL, z_value

POWER = 0.8
"""The chance of finding a real difference that a study is planned for (Cohen 1988)."""
MOST_ROWS = 100_000
"""Beyond this many rows a person is told that the difference is too small to be found, not a number."""
_EXACT_VOTES = 500


def margin(n: int, share: float = 0.5, level: float = LEVEL) -> float:
    """With n rows a share near `share` is known to plus or minus this much: half the width of the Wilson interval.

    The default is the widest case. Given as a share: 0.13 is 13 points.
    """
    if n < 1:
        raise ValueError(f"{n} rows tell nothing")
    z = z_value(level)
    return z * sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)


def rows_for_margin(target: float, share: float = 0.5, level: float = LEVEL) -> int:
    """The smallest n with `margin(n, share)` <= target. Raises ValueError unless 0 < target < 0.5."""
    if not 0 < target < 0.5:
        raise ValueError(f"a margin of {target} is not between 0 and 0.5")
    low, high = 1, 2
    while margin(high, share, level) > target:
        low, high = high, high * 2
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if margin(middle, share, level) <= target else (middle + 1, high)
    return low


def rows_per_group(share: float, other: float, power: float = POWER, level: float = LEVEL) -> int:
    """Rows in each of two independent groups to find this difference between shares (Fleiss, Levin & Paik 2003,
    Statistical Methods for Rates and Proportions, formula 4.14, without continuity correction).
    """
    if share == other:
        raise ValueError("no number of rows finds a difference of zero")
    pooled = (share + other) / 2
    spread = z_value(level) * sqrt(2 * pooled * (1 - pooled))
    spread += NormalDist().inv_cdf(power) * sqrt(share * (1 - share) + other * (1 - other))
    return ceil(spread**2 / (share - other) ** 2)


def smallest_difference(share: float, n: int, power: float = POWER, level: float = LEVEL) -> float:
    """The smallest difference from `share` that two groups of `n` rows would show with this power: `rows_per_group` the other
    way round, on the side of one half, to a tenth of a point. 1 where no difference would show."""
    room = max(share, 1 - share)
    sign = 1 if share <= 0.5 else -1
    low, high = 0, round(1000 * room)
    if n < 1 or rows_per_group(share, share + sign * room, power, level) > n:
        return 1.0
    while low + 1 < high:
        middle = (low + high) // 2
        enough = rows_per_group(share, share + sign * middle / 1000, power, level) <= n
        low, high = (low, middle) if enough else (middle, high)
    return high / 1000


@cache
def decisive_votes(win_rate: float, power: float = POWER, level: float = LEVEL) -> int:
    """Votes for one side or the other (no ties) until the sign test finds a true win rate with this power.

    The first number whose exact binomial power suffices; the normal approximation where that says more than 500.
    Raises ValueError where the rate is not strictly between one half and one (give the winner's rate).
    """
    if not 0.5 < win_rate < 1:
        raise ValueError(f"a win rate of {win_rate} is not strictly between 0.5 and 1")
    guess = _normal_votes(win_rate, power, level)
    if guess > _EXACT_VOTES:
        return guess
    return next(n for n in count(max(1, guess // 2)) if _sign_test_power(n, win_rate, level) >= power)


def rows_to_decide(change: Estimate, power: float = POWER, level: float = LEVEL) -> int | None:
    """Rows needed in all to tell a change of the measured size from chance, from the width of its interval: the
    standard error shrinks with the root of n (Cohen 1988, chapter 2). None where the change is too small to be found
    with 100,000 rows or has no interval. A plan, not a proof: the measured size is itself uncertain.
    """
    if change.low is None or change.high is None or change.value == 0:
        return None
    error = (change.high - change.low) / (2 * z_value(level))
    factor = (z_value(level) + NormalDist().inv_cdf(power)) * error / abs(change.value)
    rows = ceil(change.n * factor**2)
    return rows if rows <= MOST_ROWS else None


def _normal_votes(win_rate: float, power: float, level: float) -> int:
    spread = z_value(level) * 0.5 + NormalDist().inv_cdf(power) * sqrt(win_rate * (1 - win_rate))
    return ceil((spread / (win_rate - 0.5)) ** 2)


def _sign_test_power(n: int, win_rate: float, level: float) -> float:
    """Chance that the two-sided exact sign test on n votes finds the true winner."""
    ways = np.array([lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) for k in range(n + 1)])
    tails = np.cumsum(np.exp(ways - n * log(2))[::-1])[::-1]
    needed = np.flatnonzero(2 * tails <= 1 - level)
    if not len(needed):
        return 0.0
    wins = np.arange(needed[0], n + 1)
    return float(sum(exp(ways[k] + k * log(win_rate) + (n - k) * log1p(-win_rate)) for k in wins))
