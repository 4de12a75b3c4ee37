"""From which probability to raise an alarm for a label, given what a miss and what a false alarm cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.schemas.base import Schema
from core.schemas.estimates import Estimate

from .score_curves import counts_by_threshold
from .stats_bootstrap import bootstrap, ratio_of_sums
from .stats_proportions import wilson

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
FEWEST = 10
"""Validation rows with the label, and without it, below which no threshold is chosen (house default)."""


class Effect(Schema):
    """One threshold on test rows. `cost` is that of a row on average."""

    threshold: float
    missed: Estimate | None
    false_alarms: Estimate | None
    cost: Estimate


class Decision(Schema):
    """`usual` raises the alarm from one half, `chosen` from the threshold with the least cost on validation rows; `change`
    is the cost of a row, chosen minus usual, below 0 where the choice pays."""

    usual: Effect
    chosen: Effect
    change: Estimate


def choose(scores: Floats, own: Flags, miss: float, false_alarm: float) -> float | None:
    """The threshold with the least total cost on these (validation) rows, half-way between two scores; of equally good
    ones the nearest to one half. None where fewer than `FEWEST` rows have the label, or lack it.

    Raises ValueError unless both costs are above 0.
    """
    if miss <= 0 or false_alarm <= 0:
        raise ValueError(f"costs of {miss} and {false_alarm} are not both above 0")
    if min(own.sum(), (~own).sum()) < FEWEST:
        return None
    at, found, false = counts_by_threshold(scores, own)
    cuts = np.append(1.0 + 1e-9 if at[0] >= 1 else (1.0 + at[0]) / 2, np.append((at[:-1] + at[1:]) / 2, 0.0))
    costs = miss * (own.sum() - np.append(0.0, found)) + false_alarm * np.append(0.0, false)
    best = cuts[costs <= costs.min() + 1e-12]
    return float(best[np.argmin(np.abs(best - 0.5))])


def judge(scores: Floats, own: Flags, threshold: float, miss: float, false_alarm: float) -> Decision:
    """What the threshold does on these (test) rows, beside the usual one half. Scores have the shape (rows,)."""
    usual, chosen = (_costs(scores >= cut, own, miss, false_alarm) for cut in (0.5, threshold))
    most = max(miss, false_alarm)
    same = np.array_equal(usual, chosen)
    change = (
        Estimate(value=0.0, n=len(own), low=0.0, high=0.0, method="identical on every row")
        if same
        else _mean(chosen - usual, (-most, most))
    )
    return Decision(
        usual=_effect(scores, own, 0.5, usual, most),
        chosen=_effect(scores, own, threshold, chosen, most),
        change=change,
    )


def _mean(costs: Floats, bounds: tuple[float, float]) -> Estimate:
    """The mean cost of a row. There are only a few different costs, so that counts are drawn instead of rows: as right, and
    as quick for ten thousand rows as for a hundred."""
    values, counts = np.unique(costs, return_counts=True)
    return bootstrap(np.column_stack([values, np.ones_like(values)]), ratio_of_sums, multiplicity=counts, bounds=bounds)


def _costs(alarm: Flags, own: Flags, miss: float, false_alarm: float) -> Floats:
    return miss * (own & ~alarm) + false_alarm * (~own & alarm)


def _effect(scores: Floats, own: Flags, threshold: float, costs: Floats, most: float) -> Effect:
    alarm = scores >= threshold
    mine, others = int(own.sum()), int((~own).sum())
    return Effect(
        threshold=threshold,
        missed=wilson(int((own & ~alarm).sum()), mine) if mine else None,
        false_alarms=wilson(int((~own & alarm).sum()), others) if others else None,
        cost=_mean(costs, (0.0, most)),
    )
