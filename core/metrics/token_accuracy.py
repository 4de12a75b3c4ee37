"""Token accuracy: how often the model's first choice is the next token of the reference."""

from __future__ import annotations

import math

import numpy as np

from core.data.statistics import ratio_of_sums
from core.schemas.predictions import TextPrediction, TextPredictions

from ._base import WRITERS, Floats, was_scored
from ._sums import SumMetric


class TokenAccuracy(SumMetric):
    """Right first choices over all scored tokens, each given the true text before it. The interval resamples rows, not
    tokens, because the tokens of one text are not independent. Same tokenizer only.
    """

    key = "token_accuracy"
    title = "Token accuracy"
    help = "How often the model's first guess is the next token of the right answer."
    format = "percent"
    families = WRITERS
    bounds = (0.0, 1.0)
    order = 20

    def usable(self, item: TextPrediction) -> bool:
        return was_scored(item)

    def components(self, predictions: TextPredictions) -> Floats:
        return np.array([(item.correct_tokens, item.scored_tokens) for item in predictions.items], dtype=np.float64)

    def statistic(self, sums: Floats) -> Floats:
        return ratio_of_sums(sums)

    def per_item(self, predictions: TextPredictions) -> list[float]:
        return [
            item.correct_tokens / item.scored_tokens if was_scored(item) else math.nan for item in predictions.items
        ]


PLUGIN = TokenAccuracy()
