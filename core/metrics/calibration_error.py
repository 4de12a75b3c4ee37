"""Expected calibration error: how far the model's confidence is from how often it is right."""

from __future__ import annotations

import numpy as np

from core.data.statistics import DRAWS, LEVEL
from core.schemas.estimates import Estimate
from core.schemas.predictions import ClassPrediction, ClassPredictions

from ._base import CLASSIFIER, Floats
from ._sums import SumMetric

BINS = 15
FEWEST_ROWS = 500
"""Below this many rows the figure is mostly noise and too high (house default)."""


class CalibrationError(SumMetric):
    """15 bins of equally many rows by confidence (Nguyen & O'Connor 2015, EMNLP; the measure is that of Naeini 2015,
    AAAI). A mean of absolute values is never 0 by luck, and resampling adds to it, so percentiles would lie too high.
    Hence the basic bootstrap (Davison & Hinkley 1997, section 5.2) with the bins of the whole sample, reaching down to
    0 where a perfectly calibrated model would often score as high (Broecker & Smith 2007, Weather and Forecasting
    22:651). Where the figure itself is so much too high that the corrected interval leaves it out, as it can on few rows,
    the interval is widened to it: an interval that denies its own figure helps nobody.
    """

    key = "calibration_error"
    title = "Calibration error"
    help = "How far its stated confidence is from how often it is right; at 0% it is right 8 times in 10 when 80% sure."
    higher_is_better = False
    format = "percent"
    families = CLASSIFIER
    bounds = (0.0, 1.0)
    order = 50

    def usable(self, item: ClassPrediction) -> bool:
        return bool(item.probabilities)

    def components(self, predictions: ClassPredictions) -> Floats:
        """Confidence minus correctness in the column of the row's bin, then 1: shape (rows, bins + 1)."""
        confidence = np.array([item.confidence for item in predictions.items])
        gaps = confidence - predictions.correct
        rows = np.zeros((len(gaps), BINS + 1))
        for b, members in enumerate(np.array_split(np.argsort(confidence, kind="stable"), BINS)):
            rows[members, b] = gaps[members]
        rows[:, BINS] = 1
        return rows

    def statistic(self, sums: Floats) -> Floats:
        return np.abs(sums[:, :BINS]).sum(axis=1) / sums[:, BINS]

    def measure(self, predictions: ClassPredictions) -> Estimate | None:
        estimate = super().measure(predictions)
        if estimate is None or estimate.value > self._by_luck(predictions):
            return estimate
        return estimate.model_copy(update={"low": 0.0})

    def _by_luck(self, predictions: ClassPredictions) -> float:
        """The upper end of what a perfectly calibrated model with these confidences scores on that many rows."""
        confidence = np.sort([item.confidence for item in predictions.items])
        spread = np.array([np.sqrt((b * (1 - b)).sum()) for b in np.array_split(confidence, BINS)])
        gaps = np.random.default_rng(0).normal(size=(DRAWS, BINS)) * spread
        return float(np.quantile(np.abs(gaps).sum(axis=1) / len(confidence), 0.5 + LEVEL / 2))

    def interval(
        self, value: float, samples: Floats, n: int, bounds: tuple[float, float] | None, grouped: bool
    ) -> Estimate:
        lower, upper = np.quantile(samples, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
        least, greatest = bounds or (-np.inf, np.inf)
        by = ", by group" if grouped else ""
        return Estimate(
            value=value,
            n=n,
            low=min(value, float(np.clip(2 * value - upper, least, greatest))),
            high=max(value, float(np.clip(2 * value - lower, least, greatest))),
            method=f"basic bootstrap, {len(samples):,} draws{by}",
        )

    def warning(self, predictions: ClassPredictions) -> str:
        n = len(self.keep_usable(predictions))
        if n >= FEWEST_ROWS:
            return ""
        return f"With {n} rows the calibration error comes out too high; it takes {FEWEST_ROWS} to be trusted."


PLUGIN = CalibrationError()
