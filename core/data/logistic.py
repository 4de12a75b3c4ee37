"""Logistic regression with a weak prior, and how far its coefficients can be trusted where rows come in groups."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import exp, inf, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from core.schemas.estimates import Estimate

from .stats_bootstrap import group_sums, independent
from .stats_proportions import LEVEL

Floats = NDArray[np.float64]
PRIOR = 2.5
"""Standard deviation of the normal prior of a coefficient, in log-odds (Gelman et al. 2008, Annals of Applied Statistics
2:1360, whose Cauchy prior has this scale). It keeps coefficients finite where one side always wins."""
_STEPS = 100


@dataclass(frozen=True)
class Fit:
    """`coefficients` of shape (columns,), in log-odds; two covariances of shape (columns, columns): as the model has it,
    and from the spread between groups; `n` independent groups."""

    coefficients: Floats
    by_model: Floats
    by_groups: Floats
    n: int

    def interval(self, weights: Floats, level: float = LEVEL) -> tuple[float, float, float]:
        """A weighted sum of the coefficients with its interval, in log-odds. The wider of the two errors is taken: the
        spread between groups is far too small where nearly all outcomes are the same. Few groups: Student's t."""
        value = float(weights @ self.coefficients)
        error = sqrt(max(float(weights @ self.by_model @ weights), float(weights @ self.by_groups @ weights), 0.0))
        half = float(stdtrit(self.n - 1, 0.5 + level / 2)) * error if self.n > 1 else inf
        return value, value - half, value + half

    def chance(self, weights: Floats, method: str, level: float = LEVEL) -> Estimate:
        """As `interval`, as a probability."""
        value, low, high = (probability(x) for x in self.interval(weights, level))
        return Estimate(value=value, n=self.n, low=low, high=high, method=method)


def fit(design: Floats, outcomes: Floats, groups: Sequence[Hashable] | None = None, prior: float | None = PRIOR) -> Fit:
    """Greatest posterior likelihood by Newton's method. `design` has shape (rows, columns) and gets no intercept of its
    own; `outcomes` lie between 0 and 1 (a tie is one half). `prior` None: plain maximum likelihood, which does not
    exist where the outcomes can be told apart completely. Raises ValueError without rows.

    The covariance between groups is that of Liang & Zeger 1986 (Biometrika 73:13), with the usual correction for few of
    them, g / (g - 1) * (n - 1) / (n - k).
    """
    x, y = np.asarray(design, dtype=np.float64), np.asarray(outcomes, dtype=np.float64)
    rows, columns = x.shape
    if rows == 0:
        raise ValueError("nothing to fit")
    penalty = np.eye(columns) / prior**2 if prior else np.zeros((columns, columns))
    found = np.zeros(columns)
    for _ in range(_STEPS):
        chances = _sigmoid(x @ found)
        slope = x.T @ (y - chances) - penalty @ found
        step = np.linalg.pinv(_curvature(x, chances, penalty), hermitian=True) @ slope
        # A full step can overshoot where chances are near 0 or 1.
        found = found + step * min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-300))
        if float(np.abs(step).max()) < 1e-10:
            break
    chances = _sigmoid(x @ found)
    inverse: Floats = np.linalg.pinv(_curvature(x, chances, penalty), hermitian=True).astype(np.float64)
    scores = x * (y - chances)[:, None]
    count = independent(groups, rows)
    sums = scores if groups is None else group_sums(scores, groups)
    correction = count / max(count - 1, 1) * (rows - 1) / max(rows - columns, 1)
    return Fit(found, inverse, correction * inverse @ (sums.T @ sums) @ inverse, count)


def probability(log_odds: float) -> float:
    return 1 / (1 + exp(-min(700.0, max(-700.0, log_odds))))


def _sigmoid(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-np.clip(x, -700, 700)))


def _curvature(x: Floats, chances: Floats, penalty: Floats) -> Floats:
    return (x * (chances * (1 - chances))[:, None]).T @ x + penalty
