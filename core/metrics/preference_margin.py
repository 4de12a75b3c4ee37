"""Margin: by how much the better answer is likelier than the worse one."""

from __future__ import annotations

from core.schemas.predictions import TextPrediction

from ._base import CAUSAL_LM
from ._mean import MeanMetric


class PreferenceMargin(MeanMetric):
    """Mean of log p(better) - log p(worse) in nats. Its change from base to tuned is the mean implicit reward over beta."""

    key = "preference_margin"
    title = "Margin of the better answer"
    help = "How much likelier the better answer is than the worse one, on a log scale; above 0 it is likelier."
    families = CAUSAL_LM
    order = 14

    def usable(self, item: TextPrediction) -> bool:
        return bool(item.rejected) and item.rejected != item.reference and None not in (item.nll, item.rejected_nll)

    def score(self, item: TextPrediction) -> float:
        return (item.rejected_nll or 0.0) - (item.nll or 0.0)


PLUGIN = PreferenceMargin()
