"""Accuracy: the share of rows whose predicted class is the right one."""

from __future__ import annotations

from core.schemas.predictions import ClassPrediction

from ._base import CLASSIFIER
from ._mean import MeanMetric


class Accuracy(MeanMetric):
    key = "accuracy"
    title = "Accuracy"
    help = "How often the model picks the right category."
    format = "percent"
    families = CLASSIFIER
    bounds = (0.0, 1.0)
    binary = True
    order = 10

    def score(self, item: ClassPrediction) -> float:
        return float(item.correct)


PLUGIN = Accuracy()
