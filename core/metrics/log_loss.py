"""Log loss: how surprised the classifier is by the right answer."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

from core.schemas.predictions import ClassPrediction, ClassPredictions

from ._base import CLASSIFIER
from ._mean import MeanMetric

LEAST_PROBABILITY = 1e-15
"""A right answer given no chance at all would be infinitely bad; this floor makes it 34.5 nats."""


class LogLoss(MeanMetric):
    """Mean of -ln p(right class), in nats. A right class that the model does not know has the floor probability."""

    key = "log_loss"
    title = "Log loss"
    help = "How surprised the model is by the right category; being wrong and sure costs most, and 0 is perfect."
    higher_is_better = False
    families = CLASSIFIER
    order = 60

    def usable(self, item: ClassPrediction) -> bool:
        return bool(item.probabilities)

    def scores(self, predictions: ClassPredictions) -> Sequence[float]:
        place = {label: i for i, label in enumerate(predictions.labels)}
        return [
            -log(max(item.probabilities[place[item.gold]] if item.gold in place else 0.0, LEAST_PROBABILITY))
            for item in predictions.items
        ]


PLUGIN = LogLoss()
