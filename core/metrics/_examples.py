"""Which rows to look at: fixed and broken by the tuning, changed most, and wrong with the most confidence."""

from __future__ import annotations

import math

from core.schemas.base import Schema
from core.schemas.predictions import ClassPrediction, ClassPredictions, Predictions

from ._base import Metric


class Flip(Schema):
    """A row that only one of the two models got right."""

    row_id: str
    gold: str
    base: str
    tuned: str
    confidence: float | None


class ScoreChange(Schema):
    """A row whose score changed; `gain` is positive where tuned is better."""

    row_id: str
    base: float
    tuned: float
    gain: float


def fixed(base: ClassPredictions, tuned: ClassPredictions) -> list[Flip]:
    """Rows that base got wrong and tuned gets right, in the order of tuned."""
    return [_flip(first, second) for first, second in _pairs(base, tuned) if second.correct and not first.correct]


def broken(base: ClassPredictions, tuned: ClassPredictions) -> list[Flip]:
    """Rows that base got right and tuned gets wrong, the surest mistakes first."""
    flips = [_flip(first, second) for first, second in _pairs(base, tuned) if first.correct and not second.correct]
    return sorted(flips, key=lambda flip: -(flip.confidence or 0.0))


def confident_errors(predictions: ClassPredictions, limit: int | None = None) -> list[ClassPrediction]:
    """Wrong predictions, the highest probability for the wrong class first; those without probabilities last."""
    wrong = [item for item in predictions.items if not item.correct]
    wrong.sort(key=lambda item: -item.confidence if item.probabilities else 1.0)
    return wrong[:limit]


def changed_most(metric: Metric, base: Predictions, tuned: Predictions) -> list[ScoreChange]:
    """Rows by how much the metric changed, greatest gain first, so the end of the list holds the broken ones. Empty
    for a metric without scores per row; rows without a score on both sides are left out.
    """
    before, after = metric.per_item(base), metric.per_item(tuned)
    if before is None or after is None:
        return []
    known = dict(zip((item.row_id for item in base.items), before, strict=True))
    scores = dict(zip((item.row_id for item in tuned.items), after, strict=True))
    changes = [
        ScoreChange(row_id=row_id, base=known[row_id], tuned=score, gain=_gain(metric, known[row_id], score))
        for row_id, score in scores.items()
        if row_id in known and math.isfinite(score) and math.isfinite(known[row_id])
    ]
    return sorted(changes, key=lambda change: -change.gain)


def _pairs(base: ClassPredictions, tuned: ClassPredictions) -> list[tuple[ClassPrediction, ClassPrediction]]:
    by_id = {item.row_id: item for item in base.items}
    return [(by_id[item.row_id], item) for item in tuned.items if item.row_id in by_id]


def _flip(base: ClassPrediction, tuned: ClassPrediction) -> Flip:
    confidence = tuned.confidence if tuned.probabilities else None
    return Flip(row_id=tuned.row_id, gold=tuned.gold, base=base.predicted, tuned=tuned.predicted, confidence=confidence)


def _gain(metric: Metric, base: float, tuned: float) -> float:
    if metric.ideal is not None:
        return abs(base - metric.ideal) - abs(tuned - metric.ideal)
    return tuned - base if metric.higher_is_better else base - tuned
