"""Likelier better answers: how often the model would sooner write the better answer than the worse one."""

from __future__ import annotations

from core.schemas.predictions import TextPrediction

from ._base import CAUSAL_LM
from ._mean import MeanMetric


class PreferenceOrder(MeanMetric):
    """log p(better) > log p(worse), each summed over its tokens: the same question to the base and the tuned model."""

    key = "preference_order"
    title = "Better answer likelier"
    help = "How often the whole better answer is likelier than the worse one. Long answers are less likely by nature."
    format = "percent"
    families = CAUSAL_LM
    bounds = (0.0, 1.0)
    binary = True
    order = 13

    def usable(self, item: TextPrediction) -> bool:
        return bool(item.rejected) and item.rejected != item.reference and None not in (item.nll, item.rejected_nll)

    def score(self, item: TextPrediction) -> float:
        return float((item.nll or 0.0) < (item.rejected_nll or 0.0))


PLUGIN = PreferenceOrder()
