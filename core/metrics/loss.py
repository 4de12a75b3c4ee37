"""Loss: the mean surprise per token of the reference text."""

from __future__ import annotations

import math

import numpy as np

from core.data.statistics import ratio_of_sums
from core.schemas.predictions import TextPrediction, TextPredictions

from ._base import WRITERS, Floats, was_scored
from ._sums import SumMetric


class Loss(SumMetric):
    """Negative log likelihood in nats summed over all rows, divided by all scored tokens (as the training loss)."""

    key = "loss"
    title = "Loss per token"
    help = "How surprised the model is by each token of the right answers; lower is better."
    higher_is_better = False
    families = WRITERS
    order = 10

    def usable(self, item: TextPrediction) -> bool:
        return was_scored(item)

    def components(self, predictions: TextPredictions) -> Floats:
        return np.array([(item.nll, item.scored_tokens) for item in predictions.items], dtype=np.float64)

    def statistic(self, sums: Floats) -> Floats:
        return ratio_of_sums(sums)

    def per_item(self, predictions: TextPredictions) -> list[float]:
        """Loss per token of each row."""
        return [
            item.nll / item.scored_tokens if item.nll is not None and item.scored_tokens else math.nan
            for item in predictions.items
        ]


PLUGIN = Loss()
