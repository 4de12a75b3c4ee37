"""How much a test set flatters a model that was chosen by it: what the best of several scores gains by luck alone.

The estimate: if k models were in truth equally good, and their scores on the same test rows scattered by the standard error
s, then the best of them would look better than it is by s * E[max of k standard normal variables] on average. The
expectation is an order statistic (Harter 1961, Biometrika 48:151; below sqrt(2 ln k) for every k). Scores on the same rows
move together, which makes the gain smaller (by sqrt(1 - r) at a correlation r): it is an upper estimate for choosing the
best once. Where each look decides what is tried next, the gain can be larger and grows with sqrt(k / n) at worst: adaptive
overfitting (Dwork, Feldman, Hardt, Pitassi, Reingold & Roth 2015, "The reusable holdout: Preserving validity in adaptive data
analysis", Science 349:636).
"""

from __future__ import annotations

import math
from functools import lru_cache

from scipy.special import ndtr, ndtri

from core.schemas.estimates import Estimate

TWO_SIDED_95 = float(ndtri(0.975))
WORN = 1.0  # standard errors of luck from which on a test set is called worn: reached with four rounds (house default)


@lru_cache(maxsize=256)
def expected_maximum(k: int) -> float:
    """E[max of k independent standard normal variables]: 0 for one, 0.564 for two, 1.163 for five."""
    if k < 1:
        raise ValueError(f"at least one score is needed, got {k}")
    if k == 1:
        return 0.0

    from scipy.integrate import quad

    def weighted(x: float) -> float:
        density = math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
        return x * k * density * float(ndtr(x)) ** (k - 1)

    return float(quad(weighted, -10, 10, limit=200)[0])


def standard_error(estimate: Estimate) -> float | None:
    """Half the width of the 95% interval over 1.96; None without an interval."""
    if estimate.low is None or estimate.high is None or not math.isfinite(estimate.high - estimate.low):
        return None
    return (estimate.high - estimate.low) / (2 * TWO_SIDED_95)


def optimism(estimate: Estimate, k: int) -> float | None:
    """How much the best of k equally good models would look better than it is, in the unit of the score."""
    error = standard_error(estimate)
    return None if error is None else expected_maximum(k) * error


def worn(k: int) -> bool:
    """Whether the luck of the best exceeds the standard error of a single score."""
    return k >= 1 and expected_maximum(k) > WORN
