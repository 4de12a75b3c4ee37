"""Exact match: the share of answers that are the reference, word for word."""

from __future__ import annotations

import unicodedata

from core.schemas.predictions import TextPrediction

from ._base import WRITERS, has_both_texts
from ._mean import MeanMetric


class ExactMatch(MeanMetric):
    key = "exact_match"
    title = "Exact match"
    help = "How often the answer is the right one to the letter, capitals and spacing aside."
    format = "percent"
    families = WRITERS
    bounds = (0.0, 1.0)
    binary = True
    order = 70

    def usable(self, item: TextPrediction) -> bool:
        return has_both_texts(item)

    def score(self, item: TextPrediction) -> float:
        return float(_plain(item.text or "") == _plain(item.reference))


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


PLUGIN = ExactMatch()
