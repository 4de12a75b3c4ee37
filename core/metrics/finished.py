"""Finished: the share of answers that come to an end by themselves."""

from __future__ import annotations

from core.schemas.predictions import TextPrediction

from ._base import WRITERS, was_written
from ._mean import MeanMetric


class Finished(MeanMetric):
    key = "finished"
    title = "Finished answers"
    help = "How often the answer comes to an end by itself instead of being cut off at the length limit."
    format = "percent"
    families = WRITERS
    bounds = (0.0, 1.0)
    binary = True
    order = 110

    def usable(self, item: TextPrediction) -> bool:
        return was_written(item)

    def score(self, item: TextPrediction) -> float:
        return float(item.finished)


PLUGIN = Finished()
