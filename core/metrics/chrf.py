"""chrF: how many short runs of characters an answer shares with the reference."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from core.schemas.predictions import TextPrediction

from ._base import WRITERS, has_both_texts
from ._mean import MeanMetric


class Chrf(MeanMetric):
    """Sentence-level chrF (Popovic 2015, WMT) by sacrebleu, character runs up to 6, recall counting twice; averaged
    over answers, so that each answer weighs the same and answers can be paired.
    """

    key = "chrf"
    title = "chrF"
    help = "How much of the wording the answer shares with the right one, from 0 to 100, endings and spelling included."
    families = WRITERS
    bounds = (0.0, 100.0)
    order = 50

    def usable(self, item: TextPrediction) -> bool:
        return has_both_texts(item)

    def score(self, item: TextPrediction) -> float:
        return _score(item.text or "", item.reference)


@cache
def _scorer() -> Any:
    from sacrebleu.metrics.chrf import CHRF

    return CHRF()


@lru_cache(maxsize=50_000)
def _score(text: str, reference: str) -> float:
    return float(_scorer().sentence_score(text, [reference]).score)


PLUGIN = Chrf()
