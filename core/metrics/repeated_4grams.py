"""Repeated 4-grams: how much of an answer repeats itself."""

from __future__ import annotations

from core.data.wordsplit import words
from core.schemas.predictions import TextPrediction

from ._base import WRITERS, was_written
from ._mean import MeanMetric


class RepeatedFourGrams(MeanMetric):
    """1 - different runs of four words / all runs of four words in one answer (seq-rep-4 of Welleck et al. 2020, ICLR),
    averaged over answers. An answer of fewer than four words repeats nothing.
    """

    key = "repeated_4grams"
    title = "Repetition"
    help = "How much of an answer repeats four words it has already said; near 0% is normal."
    higher_is_better = False
    format = "percent"
    families = WRITERS
    bounds = (0.0, 1.0)
    order = 100

    def usable(self, item: TextPrediction) -> bool:
        return was_written(item)

    def score(self, item: TextPrediction) -> float:
        own = words(item.text or "")
        runs = [tuple(own[i : i + 4]) for i in range(len(own) - 3)]
        return 1 - len(set(runs)) / len(runs) if runs else 0.0


PLUGIN = RepeatedFourGrams()
