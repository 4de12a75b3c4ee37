"""Curves made legible: smoothing, a range without outliers, colours. Figures beside a chart come from the raw points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .live_chart import Trace

OVERLAY = (0, 3, 4, 5)  # of the theme's seven colours, those that the curves of the run itself do not have
REST = (1, 2, 6)
OUTLIERS = 0.02  # share of the points that may lie outside at either end
MARGIN = 0.05  # of the range, left free above and below


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


def clipped(traces: Sequence[Trace]) -> tuple[float, float] | None:
    """The range of y that a chart without outliers shows; None where there are too few points to speak of outliers.

    From the 2nd to the 98th percentile of all points (TensorBoard cuts 5% at each end, which would hide the start of a
    short curve), widened so that the newest point of every curve is inside. Nothing is taken away: zooming out shows it.
    """
    finite = [np.array([v for v in t.y if v is not None and np.isfinite(v)], dtype=float) for t in traces]
    every = np.concatenate(finite) if finite else np.array([])
    if len(every) < 10:
        return None
    low, high = np.quantile(every, [OUTLIERS, 1 - OUTLIERS])
    newest = [float(values[-1]) for values, t in zip(finite, traces, strict=True) if len(values) and not t.faint]
    low, high = min(low, *newest), max(high, *newest)
    if low == high:
        return None
    margin = MARGIN * (high - low)
    return float(low - margin if low <= 0 or low > margin else low), float(high + margin)


def colours_of(numbers: Sequence[int]) -> dict[int, int]:
    """A colour of the theme's palette for each round number: its own, or the next free one where that is taken.

    In the order of choice, so that a run keeps its colour when another one is added. More than seven begin again.
    """
    colours: dict[int, int] = {}
    for number in numbers:
        start = number % len(OVERLAY)
        wanted = [*OVERLAY[start:], *OVERLAY[:start], *REST]
        taken = set(colours.values())
        colours[number] = next((c for c in wanted if c not in taken), wanted[0])
    return colours
