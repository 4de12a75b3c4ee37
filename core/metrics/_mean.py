"""Metrics that are a mean over rows: each row has a score, so base and tuned are compared row by row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from core.data.statistics import (
    bootstrap_mean,
    bootstrap_p,
    degrees,
    independent,
    interval_of,
    mcnemar,
    newcombe_paired,
    ratio_of_sums,
    resample_sums,
    wilson,
    wilson_by_group,
)
from core.schemas.estimates import Estimate

from ._base import Change, Floats, Metric, common_groups, identical
from ._sums import units_of


class MeanMetric(Metric):
    """A subclass writes `score` (one prediction) or `scores` (all of them). Yes/no scores set `binary`: they get Wilson
    intervals, and exact McNemar where rows are independent; paired resampling by group where they are not.
    """

    binary: bool = False

    def score(self, item: Any) -> float:
        raise NotImplementedError

    def scores(self, predictions: Any) -> Sequence[float]:
        return [self.score(item) for item in predictions.items]

    def per_item(self, predictions: Any) -> list[float]:
        usable = self.keep_usable(predictions)
        known = {item.row_id: float(s) for item, s in zip(usable.items, self.scores(usable), strict=True)}
        return [known.get(item.row_id, math.nan) for item in predictions.items]

    def measure(self, predictions: Any) -> Estimate:
        return mean_estimate(self.scores(predictions), predictions.groups, self.binary, self.bounds)

    def change(self, base: Any, tuned: Any) -> Change:
        before, after = np.asarray(self.scores(base), float), np.asarray(self.scores(tuned), float)
        groups = common_groups(base, tuned)
        if self.binary and groups is None:
            return _exact_change(before, after)
        n = independent(groups, len(before))
        if np.array_equal(before, after):
            return identical(n)
        columns = np.column_stack([after - before, np.ones_like(before)])
        kinds, counts = units_of(columns, groups)
        df = degrees(ratio_of_sums(columns.sum(axis=0) - kinds), counts, groups)
        samples = ratio_of_sums(resample_sums(kinds, multiplicity=counts))
        span = (self.bounds[0] - self.bounds[1], self.bounds[1] - self.bounds[0]) if self.bounds else None
        estimate = interval_of(float((after - before).mean()), samples, n, span, groups is not None, df=df)
        return Change(estimate, bootstrap_p(samples), "paired bootstrap")


def mean_estimate(
    scores: Sequence[float], groups: Sequence[str] | None, binary: bool, bounds: tuple[float, float] | None
) -> Estimate:
    if binary:
        return wilson(int(sum(scores)), len(scores)) if groups is None else wilson_by_group(scores, groups)
    return bootstrap_mean(scores, groups, bounds)


def _exact_change(before: Floats, after: Floats) -> Change:
    """From the rows that only one of the two got right."""
    only_base, only_tuned = int((before > after).sum()), int((after > before).sum())
    both = int((before * after).sum())
    estimate = newcombe_paired(both, only_base, only_tuned, len(before) - both - only_base - only_tuned)
    return Change(estimate, mcnemar(only_base, only_tuned), "exact McNemar")
