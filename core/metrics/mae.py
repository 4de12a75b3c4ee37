"""Mean absolute error: how far off a predicted number is, on average, in its own units."""

from __future__ import annotations

from core.schemas.number_predictions import NumberPrediction

from ._base import REGRESSION
from ._mean import MeanMetric


class MeanAbsoluteError(MeanMetric):
    key = "mae"
    title = "Mean error"
    help = "How far off the predicted number is on average, in the units of your column; 0 is perfect."
    higher_is_better = False
    families = REGRESSION
    order = 10

    def score(self, item: NumberPrediction) -> float:
        return abs(item.error)


PLUGIN = MeanAbsoluteError()
