"""Metrics without a sum to resample (areas under curves, shares of distinct words): a normal interval from how much
each row moves the figure."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
from scipy.special import stdtrit

from core.data.statistics import LEVEL, even, group_sums, independent, z_value
from core.schemas.estimates import Estimate

from ._base import Change, Floats, Metric, common_groups


class InfluenceMetric(Metric):
    """A subclass writes `influence`: the value (between 0 and 1) and each row's deviation, shape (rows,), whose squares
    sum to the variance of the value. Deviations of a group are summed first; those of base and tuned are subtracted.
    """

    source: str = ""

    def influence(self, predictions: Any) -> tuple[float, Floats] | None:
        """None where the value is not defined for these rows."""
        raise NotImplementedError

    def without_spread(self, value: float, predictions: Any) -> Estimate:
        """The estimate where no row moves the figure."""
        n = independent(predictions.groups, len(predictions))
        return Estimate(value=value, n=n, low=value, high=value, method="the same for any rows")

    def measure(self, predictions: Any) -> Estimate | None:
        found = self.influence(predictions)
        if found is None:
            return None
        value, deviations = found
        error, reach = _error(deviations, predictions.groups)
        if error < 1e-12 or not 0 < value < 1:
            return self.without_spread(value, predictions)
        return logit_interval(value, reach, independent(predictions.groups, len(predictions)), self.source)

    def change(self, base: Any, tuned: Any) -> Change | None:
        before, after = self.influence(base), self.influence(tuned)
        if before is None or after is None:
            return None
        groups = common_groups(base, tuned)
        n, difference = independent(groups, len(base)), after[0] - before[0]
        error, half = _error(after[1] - before[1], groups)
        if error < 1e-12:
            return Change(_from_both(difference, n, self.measure(base), self.measure(tuned)))
        estimate = Estimate(value=difference, n=n, low=difference - half, high=difference + half, method=self.source)
        return Change(estimate, 2 * NormalDist().cdf(-abs(difference) / error), f"normal, {self.source}")


def logit_interval(value: float, reach: float, n: int, method: str) -> Estimate:
    """An interval that reaches so far either way, drawn on the logit scale, which stays between 0 and 1 (Pepe 2003, The
    Statistical Evaluation of Medical Tests, section 5.2)."""
    centre, half = log(value / (1 - value)), reach / (value * (1 - value))
    low, high = (1 / (1 + exp(-max(-700.0, min(700.0, end)))) for end in (centre - half, centre + half))
    return Estimate(value=value, n=n, low=low, high=high, method=method)


def _error(deviations: Floats, groups: Sequence[str] | None) -> tuple[float, float]:
    """The standard error, and how far a 95% interval reaches: by Student's t where rows come in groups."""
    if groups is None:
        error = sqrt(float(np.square(deviations).sum()))
        return error, z_value() * error
    sums = group_sums(deviations[:, None], groups)[:, 0]
    count = len(sums)
    error = sqrt(float(np.square(sums).sum()) * count / max(count - 1, 1))
    df = max(1.0, even(groups) - 1)
    return error, float(stdtrit(df, 0.5 + LEVEL / 2)) * error


def reach_of(deviations: Floats, groups: Sequence[str] | None) -> float:
    """How far a 95% interval reaches either way, from the deviations of the rows."""
    return _error(deviations, groups)[1]


def _from_both(difference: float, n: int, base: Estimate | None, tuned: Estimate | None) -> Estimate:
    """Where neither row moves the difference: combine the two intervals (Newcombe 1998; Zou & Donner 2008, Statistics
    in Medicine 27:1693, the method of variance estimates recovery)."""
    assert base is not None and tuned is not None
    if base.low is None or base.high is None or tuned.low is None or tuned.high is None:
        return Estimate(value=difference, n=n, method="no interval")
    below = sqrt((tuned.value - tuned.low) ** 2 + (base.high - base.value) ** 2)
    above = sqrt((tuned.high - tuned.value) ** 2 + (base.value - base.low) ** 2)
    return Estimate(value=difference, n=n, low=difference - below, high=difference + above, method="combined intervals")
