"""Copied from training: how many answers repeat a long run of words from a training row."""

from __future__ import annotations

from core.schemas.predictions import TextPrediction, TextPredictions

from ._base import WRITERS
from ._mean import MeanMetric


class Copied(MeanMetric):
    """Answers with at least one run of 13 words that stands in a training row (`core/data/copying.py`), and neither in
    the prompt nor in the right answer: quoting the question, or being right, is no copying. Answers of fewer than 13
    words are left out. The length is that of the contamination check of GPT-3 (Brown et al. 2020, appendix C).
    """

    key = "copied"
    title = "Copied from training"
    help = "How many answers hold 13 words in a row from a training row that belong to neither the question nor its answer."
    higher_is_better = False
    format = "percent"
    families = WRITERS
    bounds = (0.0, 1.0)
    binary = True
    order = 105

    def usable(self, item: TextPrediction) -> bool:
        return item.copied is not None

    def score(self, item: TextPrediction) -> float:
        return float(item.copied or False)

    def warning(self, predictions: TextPredictions) -> str:
        judged = [item for item in predictions.items if item.copied is not None]
        written = sum(item.text is not None for item in predictions.items)
        if not judged or len(judged) == written:
            return ""
        return f"only the {len(judged):,} of {written:,} answers with at least 13 words can be judged."


PLUGIN = Copied()
