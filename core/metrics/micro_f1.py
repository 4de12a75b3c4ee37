"""Micro-F1: F1 over all decisions about all labels together, so that common labels count most."""

from __future__ import annotations

import numpy as np

from core.schemas.label_sets import LabelSetPredictions

from ._base import MULTI_LABEL, Floats
from ._sums import SumMetric


class MicroF1(SumMetric):
    """2 x right / (given + true), summed over rows and labels, as `sklearn.metrics.f1_score(average="micro")` with all
    labels that the model knows or the rows hold. 1 where no label is right and none was given.
    """

    key = "micro_f1"
    title = "Micro-F1"
    help = "How well it finds the labels of all rows together, missed and wrong labels counting alike; 100% is perfect."
    format = "percent"
    families = MULTI_LABEL
    bounds = (0.0, 1.0)
    order = 10

    def components(self, predictions: LabelSetPredictions) -> Floats:
        """Right, given and true labels of each row: shape (rows, 3)."""
        gold, given = predictions.indicators(sorted(predictions.right_answers() | set(predictions.labels)))
        return np.column_stack([(gold & given).sum(axis=1), given.sum(axis=1), gold.sum(axis=1)]).astype(np.float64)

    def statistic(self, sums: Floats) -> Floats:
        right, both = 2 * sums[:, 0], sums[:, 1] + sums[:, 2]
        return np.divide(right, both, out=np.ones_like(right), where=both > 0)


PLUGIN = MicroF1()
