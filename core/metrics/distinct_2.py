"""Distinct-2: how varied the wording is over all answers together."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from math import sqrt

import numpy as np

from core.data.wordsplit import words
from core.schemas.predictions import TextPrediction, TextPredictions

from ._base import WRITERS, Floats, was_written
from ._influence import InfluenceMetric


class Distinct2(InfluenceMetric):
    """Different pairs of neighbouring words over all such pairs of all answers (Li et al. 2016, NAACL). The spread is
    the delete-one jackknife (Efron & Stein 1981, Annals of Statistics 9:586): a bootstrap would repeat answers and
    make them look less varied than they are. More or longer answers lower it: compare equal numbers of answers only.
    """

    key = "distinct_2"
    title = "Variety of wording"
    help = "How many of the word pairs in all its answers are different ones; low means that answers sound alike."
    format = "percent"
    families = WRITERS
    bounds = (0.0, 1.0)
    order = 90
    source = "jackknife"

    def usable(self, item: TextPrediction) -> bool:
        return was_written(item)

    def influence(self, predictions: TextPredictions) -> tuple[float, Floats] | None:
        pairs = [_pairs(item.text or "") for item in predictions.items]
        everywhere: Counter[tuple[str, str]] = Counter()
        for own in pairs:
            everywhere.update(own)
        total, n = everywhere.total(), len(pairs)
        if total == 0:
            return None
        lost = np.array([sum(everywhere[pair] == count for pair, count in own.items()) for own in pairs])
        remaining = total - np.array([own.total() for own in pairs])
        value = len(everywhere) / total
        without = np.divide(len(everywhere) - lost, remaining, out=np.full(n, value), where=remaining > 0)
        return value, (without.mean() - without) * sqrt((n - 1) / n)


def _pairs(text: str) -> Counter[tuple[str, str]]:
    own = words(text)
    return Counter(pairwise(own))


PLUGIN = Distinct2()
