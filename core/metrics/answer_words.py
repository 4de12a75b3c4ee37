"""Answer length: how many words it writes, as a warning sign that a model learned to write long instead of well."""

from __future__ import annotations

from core.data.wordsplit import words
from core.schemas.predictions import TextPrediction

from ._base import CAUSAL_LM, was_written
from ._mean import MeanMetric


class AnswerWords(MeanMetric):
    key = "answer_words"
    title = "Words in an answer"
    help = "How many words it writes on average. Preferences easily teach longer answers, which are not better ones."
    higher_is_better = False  # what a comparison of lengths alone goes by; no screen shows it
    judged = False
    families = CAUSAL_LM
    order = 79

    def usable(self, item: TextPrediction) -> bool:
        return was_written(item)

    def score(self, item: TextPrediction) -> float:
        return float(len(words(item.text or "")))


PLUGIN = AnswerWords()
