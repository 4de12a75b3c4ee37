"""Macro-F1: F1 of each class, averaged so that rare classes count as much as common ones."""

from __future__ import annotations

import numpy as np

from core.schemas.label_sets import LabelSetPredictions
from core.schemas.predictions import ClassPredictions

from ._base import CLASSIFIER, MULTI_LABEL, Floats
from ._sums import SumMetric


class MacroF1(SumMetric):
    """Mean over the classes that occur among the right answers, as `sklearn.metrics.f1_score(average="macro")` with
    `labels` set to these; so base and tuned are averaged over the same classes. In a draw, classes that were not drawn
    are left out; one without any label at all counts 0.
    """

    key = "macro_f1"
    title = "Macro-F1"
    help = "How well it does on every category, rare ones counting as much as common ones; 100% is perfect."
    format = "percent"
    families = (*CLASSIFIER, *MULTI_LABEL)
    bounds = (0.0, 1.0)
    order = 20

    def components(self, predictions: ClassPredictions | LabelSetPredictions) -> Floats:
        """Right, predicted and gold indicators of each class: shape (rows, 3 x classes)."""
        gold, predicted = predictions.indicators(sorted(predictions.right_answers()))
        return np.hstack([gold & predicted, predicted, gold]).astype(np.float64)

    def statistic(self, sums: Floats) -> Floats:
        right, predicted, gold = np.split(sums, 3, axis=1)
        occurs = gold > 0
        f1 = np.divide(2 * right, predicted + gold, out=np.zeros_like(right), where=occurs)
        return np.divide(f1.sum(axis=1), occurs.sum(axis=1), out=np.zeros(len(sums)), where=occurs.any(axis=1))


PLUGIN = MacroF1()
