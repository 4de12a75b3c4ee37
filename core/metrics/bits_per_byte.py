"""Bits per byte: the loss in a unit that does not depend on the tokenizer."""

from __future__ import annotations

import math

import numpy as np

from core.data.statistics import ratio_of_sums
from core.schemas.predictions import TextPrediction, TextPredictions

from ._base import WRITERS, Floats, was_scored
from ._sums import SumMetric


class BitsPerByte(SumMetric):
    """Negative log likelihood / (ln 2 x UTF-8 bytes), summed over all rows (Gao et al. 2020, The Pile, section 3.1)."""

    key = "bits_per_byte"
    title = "Bits per byte"
    help = "The loss in a unit that also compares models with different tokenizers; lower is better."
    higher_is_better = False
    families = WRITERS
    order = 40

    def usable(self, item: TextPrediction) -> bool:
        return was_scored(item) and item.n_bytes > 0

    def components(self, predictions: TextPredictions) -> Floats:
        return np.array([(item.nll, item.n_bytes) for item in predictions.items], dtype=np.float64)

    def statistic(self, sums: Floats) -> Floats:
        return ratio_of_sums(sums) / math.log(2)


PLUGIN = BitsPerByte()
