"""Perplexity: among how many equally likely tokens the model hesitates, on average."""

from __future__ import annotations

import numpy as np

from core.schemas.predictions import TextPredictions

from ._base import Floats
from .loss import Loss


class Perplexity(Loss):
    """exp(loss per token), of sums over all rows. Comparable between models with the same tokenizer only."""

    key = "perplexity"
    title = "Perplexity"
    help = "Between how many equally likely tokens the model hesitates at each step; lower is better, 1 is certain."
    order = 30

    def statistic(self, sums: Floats) -> Floats:
        return np.exp(super().statistic(sums))

    def per_item(self, predictions: TextPredictions) -> list[float]:
        return [float(np.exp(loss)) for loss in super().per_item(predictions)]


PLUGIN = Perplexity()
