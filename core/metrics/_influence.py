"""Metrics without a sum to resample (areas under curves, shares of distinct words): a normal interval from how much
each row moves the figure."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np

from core.data.statistics import group_sums, independent, z_value
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
        error = _error(deviations, predictions.groups)
        if error < 1e-12 or not 0 < value < 1:
            return self.without_spread(value, predictions)
        return logit_interval(value, error, independent(predictions.groups, len(predictions)), self.source)

    def change(self, base: Any, tuned: Any) -> Change | None:
        before, after = self.influence(base), self.influence(tuned)
        if before is None or after is None:
            return None
        groups = common_groups(base, tuned)
        n, difference = independent(groups, len(base)), after[0] - before[0]
        error = _error(after[1] - before[1], groups)
        if error < 1e-12:
            return Change(_from_both(difference, n, self.measure(base), self.measure(tuned)))
        half = z_value() * error
        estimate = Estimate(value=difference, n=n, low=difference - half, high=difference + half, method=self.source)
        return Change(estimate, 2 * NormalDist().cdf(-abs(difference) / error), f"normal, {self.source}")


def logit_interval(value: float, error: float, n: int, method: str) -> Estimate:
    """A normal interval on the logit scale, which stays between 0 and 1 (Pepe 2003, The Statistical Evaluation of
    Medical Tests, section 5.2)."""
    centre, half = log(value / (1 - value)), z_value() * error / (value * (1 - value))
    low, high = (1 / (1 + exp(-max(-700.0, min(700.0, end)))) for end in (centre - half, centre + half))
    return Estimate(value=value, n=n, low=low, high=high, method=method)


def _error(deviations: Floats, groups: Sequence[str] | None) -> float:
    sums = deviations if groups is None else group_sums(deviations[:, None], groups)[:, 0]
    return sqrt(float(np.square(sums).sum()))


def _from_both(difference: float, n: int, base: Estimate | None, tuned: Estimate | None) -> Estimate:
    """Where neither row moves the difference: combine the two intervals (Newcombe 1998; Zou & Donner 2008, Statistics
    in Medicine 27:1693, the method of variance estimates recovery)."""
    assert base is not None and tuned is not None
    if base.low is None or base.high is None or tuned.low is None or tuned.high is None:
        return Estimate(value=difference, n=n, method="no interval")
    below = sqrt((tuned.value - tuned.low) ** 2 + (base.high - base.value) ** 2)
    above = sqrt((tuned.high - tuned.value) ** 2 + (base.value - base.low) ** 2)
    return Estimate(value=difference, n=n, low=difference - below, high=difference + above, method="combined intervals")
