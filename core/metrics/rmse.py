"""Root mean squared error: as the mean error, but large misses count more."""

from __future__ import annotations

import numpy as np

from core.data.statistics import ratio_of_sums
from core.schemas.number_predictions import NumberPredictions

from ._base import REGRESSION, Floats
from ._sums import SumMetric


class RootMeanSquaredError(SumMetric):
    key = "rmse"
    title = "Root mean squared error"
    help = (
        "How far off the predicted number is when large misses count more, in the units of your column; 0 is perfect."
    )
    higher_is_better = False
    families = REGRESSION
    order = 20

    def components(self, predictions: NumberPredictions) -> Floats:
        errors = predictions.predicted - predictions.gold
        return np.column_stack([errors**2, np.ones_like(errors)])

    def statistic(self, sums: Floats) -> Floats:
        return np.sqrt(ratio_of_sums(sums))


PLUGIN = RootMeanSquaredError()
