"""ROC-AUC: whether the right class gets a higher probability on its own rows than on others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.data.auc import one_class
from core.data.statistics import independent, wilson
from core.schemas.estimates import Estimate
from core.schemas.predictions import ClassPrediction, ClassPredictions

from ._base import CLASSIFIER, Floats
from ._influence import InfluenceMetric, logit_interval, reach_of


class RocAuc(InfluenceMetric):
    """One class against the rest, averaged over the classes that occur (as scikit-learn's `ovr`, `macro`). The spread
    is that of DeLong, DeLong & Clarke-Pearson 1988 (Biometrics 44:837), carried through the average; by group as
    Obuchowski 1997 (Biometrics 53:567).
    """

    key = "roc_auc"
    title = "ROC-AUC"
    help = "How well its probabilities tell each category from the rest: 50% is guessing, 100% is perfect order."
    format = "percent"
    families = CLASSIFIER
    bounds = (0.0, 1.0)
    order = 40
    source = "DeLong"

    def usable(self, item: ClassPrediction) -> bool:
        return bool(item.probabilities)

    def influence(self, predictions: ClassPredictions) -> tuple[float, Floats] | None:
        values, deviations = [], np.zeros(len(predictions))
        for k, own in _occurring(predictions):
            value, deviation = one_class(predictions.matrix[:, k], own)
            values.append(value)
            deviations += deviation
        return (float(np.mean(values)), deviations / len(values)) if values else None

    def without_spread(self, value: float, predictions: ClassPredictions) -> Estimate:
        """Perfect order: as many disjoint pairs of an own and another row as the rarer side has, all of them right."""
        if value < 1:
            return super().without_spread(value, predictions)
        pairs = [int(min(own.sum(), (~own).sum())) for _, own in _occurring(predictions)]
        low = float(np.mean([wilson(n, n).low or 0.0 for n in pairs]))
        n = independent(predictions.groups, len(predictions))
        return Estimate(value=value, n=n, low=low, high=1.0, method="Wilson on disjoint pairs")


def _occurring(predictions: ClassPredictions) -> list[tuple[int, np.ndarray]]:
    """Classes with rows of their own and other rows: place in the labels, and which rows are theirs."""
    gold = np.array([item.gold for item in predictions.items])
    members = [(k, gold == label) for k, label in enumerate(predictions.labels)]
    return [(k, own) for k, own in members if 0 < own.sum() < len(gold)]


def one_class_estimate(scores: Floats, own: np.ndarray, groups: Sequence[str] | None = None) -> Estimate:
    """The AUC of one class with its interval; needs rows of both kinds. See `RocAuc`."""
    value, deviations = one_class(scores, own)
    reach, n = reach_of(deviations, groups), independent(groups, len(scores))
    if reach > 1e-12 and 0 < value < 1:
        return logit_interval(value, reach, n, RocAuc.source)
    pairs = int(min(own.sum(), (~own).sum()))
    low = (wilson(pairs, pairs).low or 0.0) if value == 1 else value
    return Estimate(value=value, n=n, low=low, high=value, method="Wilson on disjoint pairs")


PLUGIN = RocAuc()
