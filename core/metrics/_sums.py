"""Metrics that are a function of sums over rows (loss per token, macro-F1): resampled rows, recomputed figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.statistics import DRAWS, bootstrap_p, degrees, group_sums, independent, interval_of, resample_sums
from core.schemas.estimates import Estimate

from ._base import Change, Floats, Metric, common_groups, identical


class SumMetric(Metric):
    """A subclass writes `components` (what each row adds, shape (rows, components)) and `statistic` (from summed
    components, shape (draws, components), to values, shape (draws,)).
    """

    draws: int = DRAWS

    def components(self, predictions: Any) -> Floats:
        raise NotImplementedError

    def statistic(self, sums: Floats) -> Floats:
        raise NotImplementedError

    def interval(
        self, value: float, samples: Floats, n: int, bounds: tuple[float, float] | None, grouped: bool, df: float | None
    ) -> Estimate:
        return interval_of(value, samples, n, bounds, grouped, df=df)

    def measure(self, predictions: Any) -> Estimate | None:
        rows = self.components(predictions)
        total = rows.sum(axis=0, keepdims=True)
        value = float(self.statistic(total)[0])
        if not np.isfinite(value):
            return None
        kinds, counts = units_of(rows, predictions.groups)
        df = degrees(self.statistic(total - kinds), counts, predictions.groups)
        samples = _defined(self.statistic(resample_sums(kinds, multiplicity=counts, draws=self.draws)))
        n = independent(predictions.groups, len(rows))
        return self.interval(value, samples, n, self.bounds, predictions.groups is not None, df)

    def change(self, base: Any, tuned: Any) -> Change | None:
        before, after = self.components(base), self.components(tuned)
        width, groups = before.shape[1], common_groups(base, tuned)
        both = np.hstack([before, after])
        total = both.sum(axis=0, keepdims=True)
        first, second = self._values(total, width)
        if not np.isfinite([first[0], second[0]]).all():
            return None
        n, grouped = independent(groups, len(both)), groups is not None
        if np.array_equal(before, after):
            return identical(n)
        kinds, counts = units_of(both, groups)
        without = self._values(total - kinds, width)
        df = degrees(without[1] - without[0], counts, groups)
        samples = self._values(resample_sums(kinds, multiplicity=counts, draws=self.draws), width)
        span = (self.bounds[0] - self.bounds[1], self.bounds[1] - self.bounds[0]) if self.bounds else None
        difference = _defined(samples[1] - samples[0])
        estimate = self.interval(float(second[0] - first[0]), difference, n, span, grouped, df)
        if self.ideal is None:
            return Change(estimate, bootstrap_p(difference), "paired bootstrap")
        nearer = np.abs(samples[0] - self.ideal) - np.abs(samples[1] - self.ideal)
        gain = float(abs(first[0] - self.ideal) - abs(second[0] - self.ideal))
        improvement = self.interval(gain, nearer, n, None, grouped, df)
        return Change(estimate, bootstrap_p(nearer), "paired bootstrap of the distance to the ideal", improvement)

    def _values(self, sums: Floats, width: int) -> tuple[Floats, Floats]:
        return self.statistic(sums[:, :width]), self.statistic(sums[:, width:])


def _defined(samples: Floats) -> Floats:
    """Without the draws for which the figure does not exist (few rows, all of them alike)."""
    return samples[np.isfinite(samples)]


def units_of(rows: Floats, groups: Sequence[str] | None) -> tuple[Floats, NDArray[np.int64]]:
    """What is drawn: rows, or the sums of whole groups; equal ones once, with their number."""
    return _collapse(rows if groups is None else group_sums(rows, groups))


def _collapse(rows: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Equal rows once, with their number: a confusion matrix has far fewer cells than a test set has rows."""
    index: dict[bytes, int] = {}
    codes = [index.setdefault(row.tobytes(), len(index)) for row in rows]
    firsts = np.unique(np.array(codes), return_index=True)[1]
    return rows[firsts], np.bincount(codes)
