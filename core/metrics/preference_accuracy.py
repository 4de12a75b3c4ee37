"""Preference accuracy: how often the better answer of a pair is put before the worse one."""

from __future__ import annotations

from core.schemas.predictions import TextPrediction

from ._base import CAUSAL_LM, is_pair
from ._mean import MeanMetric


class PreferenceAccuracy(MeanMetric):
    """`margin` > 0. For a tuned model the margin is its implicit reward (Rafailov et al. 2023, eq. 5): the gain of the better
    answer's log-likelihood over the starting model less that of the worse one. The starting model has gained nothing, so
    its margin is that of its log-likelihoods; that of a rule is whatever the rule orders by.
    """

    key = "preference_accuracy"
    title = "Preference accuracy"
    help = "How often training has raised the better answer of a pair more than the worse one; guessing is 50%."
    format = "percent"
    families = CAUSAL_LM
    bounds = (0.0, 1.0)
    binary = True
    order = 12

    def usable(self, item: TextPrediction) -> bool:
        return is_pair(item)

    def score(self, item: TextPrediction) -> float:
        return float((item.margin or 0.0) > 0)


PLUGIN = PreferenceAccuracy()
