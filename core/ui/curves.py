"""Smoothing of training curves for the eye. The figures beside a chart always come from the raw points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def smooth(values: Sequence[float | None], weight: float) -> list[float | None]:
    """Exponential moving average of a curve, free of the bias towards its start.

    `weight` in [0, 1) is the share of the past in each step: 0 returns the curve itself, 0.9 averages over roughly the
    last ten points. s_t = weight * s_(t-1) + (1 - weight) * y_t, divided by (1 - weight^t): the correction of Kingma
    and Ba, "Adam" (2015), section 3, which TensorBoard uses too. A missing or infinite point stays a gap (None) and
    does not enter the average. Raises ValueError for a weight outside [0, 1).
    """
    if not 0 <= weight < 1:
        raise ValueError(f"weight must be in [0, 1), got {weight}")
    raw = np.array([np.nan if v is None else v for v in values], dtype=float)
    result: list[float | None] = []
    state, mass = 0.0, 0.0
    for y, finite in zip(raw, np.isfinite(raw), strict=True):
        if not finite:
            result.append(None)
            continue
        state = weight * state + (1 - weight) * y
        mass = weight * mass + (1 - weight)
        result.append(float(state / mass))
    return result
