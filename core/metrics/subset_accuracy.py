"""Subset accuracy: the share of rows that were given exactly their labels, none missing and none too many."""

from __future__ import annotations

from core.schemas.label_sets import LabelSetPrediction

from ._base import MULTI_LABEL
from ._mean import MeanMetric


class SubsetAccuracy(MeanMetric):
    key = "subset_accuracy"
    title = "All labels right"
    help = "How often a text gets exactly its labels: none missing, none too many."
    format = "percent"
    families = MULTI_LABEL
    bounds = (0.0, 1.0)
    binary = True
    order = 30

    def score(self, item: LabelSetPrediction) -> float:
        return float(item.correct)


PLUGIN = SubsetAccuracy()
