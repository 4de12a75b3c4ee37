"""R squared: how much of the spread of the right numbers the predictions explain."""

from __future__ import annotations

import numpy as np

from core.schemas.number_predictions import NumberPredictions

from ._base import REGRESSION, Floats
from ._sums import SumMetric


class RSquared(SumMetric):
    """1 - (squared errors) / (squared distances of the right numbers from their own mean), as `sklearn.metrics.r2_score`.
    Not defined where all right numbers are equal.
    """

    key = "r2"
    title = "R²"
    help = "How much of the ups and downs it explains: 1 is all, 0 is no better than always saying the mean, below 0 worse."
    families = REGRESSION
    order = 30

    def components(self, predictions: NumberPredictions) -> Floats:
        """Squared error, right number (less the mean of all, for precision), its square, and 1: shape (rows, 4)."""
        centred = predictions.gold - predictions.gold.mean()
        errors = predictions.predicted - predictions.gold
        return np.column_stack([errors**2, centred, centred**2, np.ones_like(centred)])

    def statistic(self, sums: Floats) -> Floats:
        spread = sums[:, 2] - sums[:, 1] ** 2 / sums[:, 3]
        known = spread > 1e-12 * np.maximum(sums[:, 2], 1e-300)
        return 1 - np.divide(sums[:, 0], spread, out=np.full(len(sums), np.nan), where=known)


PLUGIN = RSquared()
