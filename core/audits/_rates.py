"""Differences in how often a label is given: demographic parity, equal opportunity, equalized odds; with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.data.statistics import MIN_ROWS, interval_of, resample_sums
from core.schemas.estimates import Estimate

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
DRAWS = 2000
_CELLS = 5  # rows, given, true and given, true, given though untrue


class GroupRates(NamedTuple):
    """Of one group for one label: how often it is given; given where true; given where untrue. None: not enough rows."""

    given: float | None
    given_if_true: float | None
    given_if_untrue: float | None


@dataclass(frozen=True)
class Differences:
    """Largest minus smallest rate over the groups, as fairlearn names them; None where fewer than two groups have enough
    rows. `groups` are the rates behind it."""

    demographic_parity: Estimate | None
    equal_opportunity: Estimate | None
    equalized_odds: Estimate | None
    groups: dict[str, GroupRates]


def differences(given: Mask, true: Mask, member: dict[str, Mask], fewest: int = MIN_ROWS) -> Differences:
    """For one label. `given`: predicted, `true`: right, shape (rows,); `member` has each group's rows.

    Demographic parity: share of rows given the label (Dwork et al. 2012). Equal opportunity: that share among rows that
    truly have it. Equalized odds: the larger of that difference and the one among rows that have it not (Hardt et al. 2016).
    A group counts for a rate where `fewest` rows stand behind it. Rows are drawn anew for the intervals; a largest minus
    a smallest rate is never negative, so an interval near 0 does not show a difference.
    """
    keys = list(member)
    cells = np.zeros((len(given), _CELLS * len(keys)))
    for i, key in enumerate(keys):
        mine = member[key]
        block = (mine, mine & given, mine & true & given, mine & true, mine & ~true & given)
        cells[:, _CELLS * i : _CELLS * (i + 1)] = np.column_stack(block)
    total = cells.sum(axis=0).reshape(1, len(keys), _CELLS)
    draws = resample_sums(cells, draws=DRAWS).reshape(DRAWS, len(keys), _CELLS)
    rows, yes = total[0, :, 0], total[0, :, 3]
    enough, enough_true, enough_untrue = rows >= fewest, yes >= fewest, rows - yes >= fewest
    parity = _spread(_rates(total), _rates(draws), [(0, enough)], rows)
    opportunity = _spread(_rates(total), _rates(draws), [(1, enough_true)], yes)
    odds = None
    if enough_true.sum() > 1 and enough_untrue.sum() > 1:
        odds = _spread(_rates(total), _rates(draws), [(1, enough_true), (2, enough_untrue)], rows)
    value = _rates(total)[0]
    groups = {
        key: GroupRates(*(float(value[i, k]) if ok[i] else None for k, ok in enumerate((enough, enough_true, enough_untrue))))
        for i, key in enumerate(keys)
    }  # fmt: skip
    return Differences(parity, opportunity, odds, groups)


def _rates(sums: Floats) -> Floats:
    """Shape (draws, groups, 3) from (draws, groups, cells)."""
    rows, given, hits, true, wrong = np.moveaxis(sums, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.stack([given / rows, hits / true, wrong / (rows - true)], axis=-1)


def _spread(value: Floats, draws: Floats, over: list[tuple[int, Mask]], rows: Floats) -> Estimate | None:
    """The largest of the differences of the named rates over the groups that count."""
    if any(ok.sum() < 2 for _, ok in over):
        return None

    def largest(rates: Floats) -> Floats:
        return np.max([np.ptp(rates[:, ok, k], axis=1) for k, ok in over], axis=0)

    counting = np.any([ok for _, ok in over], axis=0)
    return interval_of(float(largest(value)[0]), largest(draws), int(rows[counting].sum()), (0.0, 1.0))
