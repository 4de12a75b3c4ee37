"""Length ratio: how long the answers are beside the references."""

from __future__ import annotations

import numpy as np

from core.data.statistics import ratio_of_sums
from core.schemas.predictions import TextPrediction, TextPredictions

from ._base import WRITERS, Floats, has_both_texts
from ._sums import SumMetric


class LengthRatio(SumMetric):
    """Characters of all answers over characters of all references. Best is 1, so a comparison judges the distance."""

    key = "length_ratio"
    title = "Length"
    help = "How long its answers are beside the right ones: 1 is the same length, 2 is twice as long."
    ideal = 1.0
    families = WRITERS
    order = 80

    def usable(self, item: TextPrediction) -> bool:
        return has_both_texts(item)

    def components(self, predictions: TextPredictions) -> Floats:
        return np.array([(len(item.text or ""), len(item.reference)) for item in predictions.items], dtype=np.float64)

    def statistic(self, sums: Floats) -> Floats:
        return ratio_of_sums(sums)

    def per_item(self, predictions: TextPredictions) -> list[float]:
        return [
            len(item.text or "") / len(item.reference) if self.usable(item) else float("nan")
            for item in predictions.items
        ]


PLUGIN = LengthRatio()
