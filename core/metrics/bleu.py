"""BLEU: how many short runs of words all answers together share with their references."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import numpy as np

from core.schemas.predictions import TextPrediction, TextPredictions

from ._base import WRITERS, Floats, has_both_texts
from ._sums import SumMetric

ORDER = 4


class Bleu(SumMetric):
    """Corpus BLEU (Papineni et al. 2002, ACL) by sacrebleu's counts: 13a tokens, runs of up to 4 words, exponential
    smoothing. The counts of an answer do not depend on other answers, so rows can be resampled and the figure worked out
    anew from their sums: no single answer has a BLEU of its own.
    """

    key = "bleu"
    title = "BLEU"
    help = "How many runs of up to four words the answers share with the right ones, from 0 to 100; known from translation."
    families = WRITERS
    bounds = (0.0, 100.0)
    order = 55

    def usable(self, item: TextPrediction) -> bool:
        return has_both_texts(item)

    def components(self, predictions: TextPredictions) -> Floats:
        """Words of the answer, words of the reference, runs that agree and runs there are, each by length 1 to 4."""
        return np.array([_counts(item.text or "", item.reference) for item in predictions.items], dtype=np.float64)

    def statistic(self, sums: Floats) -> Floats:
        """As sacrebleu's `BLEU.compute_bleu`, for many sums at once."""
        said, wanted = sums[:, 0], sums[:, 1]
        right, runs = sums[:, 2 : 2 + ORDER], sums[:, 2 + ORDER :]
        # Each length without one agreeing run counts half of the one before (1/2, 1/4 ... of a run).
        smoothed = np.where(right == 0, 0.5 ** np.cumsum(right == 0, axis=1), right)
        with np.errstate(divide="ignore", invalid="ignore"):
            precision = np.log(100 * smoothed / runs).mean(axis=1)
            brevity = np.where(said < wanted, np.exp(1 - wanted / said), 1.0)
            score = brevity * np.exp(precision)
        return np.where((right.sum(axis=1) == 0) | (runs == 0).any(axis=1), 0.0, score)


@cache
def _scorer() -> Any:
    from sacrebleu.metrics.bleu import BLEU

    return BLEU()


@lru_cache(maxsize=50_000)
def _counts(text: str, reference: str) -> tuple[float, ...]:
    return tuple(_scorer()._extract_corpus_statistics([text], [[reference]])[0])


PLUGIN = Bleu()
