"""Liked before disliked: whether answers that people liked have gained more than those that they did not."""

from __future__ import annotations

import numpy as np

from core.data.auc import one_class
from core.schemas.predictions import TextPrediction, TextPredictions

from ._base import CAUSAL_LM, Floats
from ._influence import InfluenceMetric


class ThumbOrder(InfluenceMetric):
    """The area under the ROC curve of `margin`, for answers that were rated one by one (DeLong et al. 1988)."""

    key = "thumb_order"
    title = "Liked before disliked"
    help = "How often an answer with a thumb up is put before one with a thumb down; guessing is 50%."
    format = "percent"
    families = CAUSAL_LM
    bounds = (0.0, 1.0)
    order = 12
    source = "DeLong"

    def usable(self, item: TextPrediction) -> bool:
        return item.liked is not None and item.margin is not None

    def influence(self, predictions: TextPredictions) -> tuple[float, Floats] | None:
        own = np.array([bool(item.liked) for item in predictions.items])
        if own.all() or not own.any():
            return None
        return one_class(np.array([item.margin or 0.0 for item in predictions.items]), own)


PLUGIN = ThumbOrder()
