"""ROC and precision-recall curves of scores for one label against the rest, thinned for drawing."""

from __future__ import annotations

from math import exp, log, sqrt

import numpy as np
from numpy.typing import NDArray

from core.schemas.analysis import Points
from core.schemas.estimates import Estimate

from .stats_proportions import z_value

Floats = NDArray[np.float64]
DRAWN = 120


def counts_by_threshold(scores: Floats, own: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """(threshold, rows of the label at or above it, other rows at or above it), from the highest score down, one entry
    for each different score; shapes (scores,)."""
    order = np.argsort(-scores, kind="stable")
    ordered, mine = scores[order], own[order]
    last = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    found = np.cumsum(mine)[last].astype(np.float64)
    return ordered[last], found, last + 1 - found


def roc(scores: Floats, own: NDArray[np.bool_], drawn: int = DRAWN) -> Points:
    """(false alarm rate, found rate) from (0, 0) to (1, 1). Needs rows of both kinds."""
    _, found, false = counts_by_threshold(scores, own)
    x, y = np.append(0.0, false / (~own).sum()), np.append(0.0, found / own.sum())
    return _thinned(x, y, drawn)


def precision_recall(scores: Floats, own: NDArray[np.bool_], drawn: int = DRAWN) -> Points:
    """(found rate, share of the alarms that are right), from the highest threshold down. Needs rows of the label."""
    _, found, false = counts_by_threshold(scores, own)
    return _thinned(found / own.sum(), found / (found + false), drawn)


def average_precision(scores: Floats, own: NDArray[np.bool_]) -> Estimate:
    """Precision averaged over recall, without interpolation, as `sklearn.metrics.average_precision_score`. The interval is
    drawn on the logit scale with the rows of the label as its sample (Boyd, Eng & Page 2013, ECML PKDD)."""
    _, found, false = counts_by_threshold(scores, own)
    n = int(own.sum())
    steps = np.diff(np.append(0.0, found)) / n
    value = min(1.0, float((steps * found / (found + false)).sum()))
    if not 0 < value < 1:
        return Estimate(value=value, n=n, method="no interval: perfect order")
    centre, half = log(value / (1 - value)), z_value() / sqrt(n * value * (1 - value))
    low, high = (1 / (1 + exp(-max(-700.0, min(700.0, end)))) for end in (centre - half, centre + half))
    return Estimate(value=value, n=n, low=low, high=high, method="logit")


def _thinned(x: Floats, y: Floats, drawn: int) -> Points:
    """At most about `drawn` points, evenly along the length of the curve, both ends kept."""
    if len(x) > drawn:
        along = np.append(0.0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y))))
        places = np.searchsorted(along, np.linspace(0, along[-1], drawn))
        kept = np.unique(np.concatenate([[0], places.clip(0, len(x) - 1), [len(x) - 1]]))
        x, y = x[kept], y[kept]
    return tuple((round(float(a), 5), round(float(b), 5)) for a, b in zip(x, y, strict=True))
