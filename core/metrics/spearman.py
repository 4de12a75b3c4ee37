"""Spearman's rank correlation: whether texts that should get higher numbers do."""

from __future__ import annotations

import numpy as np

from core.schemas.number_predictions import NumberPredictions

from ._base import REGRESSION, Floats
from ._sums import SumMetric


class Spearman(SumMetric):
    """Pearson's correlation of the ranks, ties getting their mean rank (Spearman 1904). The interval resamples rows with
    the ranks that they have among all rows, so that a draw is a sum. Not defined where one side is constant.
    """

    key = "spearman"
    title = "Rank correlation (Spearman)"
    help = "Whether it puts the texts in the right order: 1 is perfect order, 0 none, -1 the reverse."
    families = REGRESSION
    bounds = (-1.0, 1.0)
    order = 40

    def components(self, predictions: NumberPredictions) -> Floats:
        """Both ranks (less their mean), their squares and product, and 1: shape (rows, 6)."""
        from scipy.stats import rankdata

        middle = (len(predictions) + 1) / 2
        x, y = rankdata(predictions.predicted) - middle, rankdata(predictions.gold) - middle
        return np.column_stack([x, y, x**2, y**2, x * y, np.ones_like(x)])

    def statistic(self, sums: Floats) -> Floats:
        x, y, xx, yy, xy, n = sums.T
        spread = (xx - x * x / n) * (yy - y * y / n)
        known = spread > 1e-9
        root = np.sqrt(np.where(known, spread, 1.0))
        return np.where(known, (xy - x * y / n) / root, np.nan)


PLUGIN = Spearman()
