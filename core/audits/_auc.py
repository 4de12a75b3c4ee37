"""Area under the ROC curve for rows about a group, against rows about others, with intervals."""

from __future__ import annotations

from math import exp, log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.data.auc import one_class
from core.data.statistics import wilson, z_value
from core.schemas.estimates import Estimate

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
FEWEST_OF_A_KIND = 10
"""Rows with the label, and without it, below which an area is not worked out (house default)."""
POWER = -5.0


class GroupAreas(NamedTuple):
    """`subgroup`: within the group. `bpsn`: background positive, subgroup negative; low means that rows about the group get
    the label wrongly. `bnsp`: background negative, subgroup positive; low means that theirs is missed."""

    subgroup: Estimate | None
    bpsn: Estimate | None
    bnsp: Estimate | None


def group_areas(scores: Floats, positive: Mask, member: Mask) -> GroupAreas:
    """Subgroup, BPSN and BNSP AUC (Borkan et al. 2019, "Nuanced metrics for measuring unintended bias", WWW companion).

    `scores` are probabilities of the label, shape (rows,); None where there are too few rows of one kind.
    """
    return GroupAreas(
        area(scores[member & positive], scores[member & ~positive]),
        area(scores[~member & positive], scores[member & ~positive]),
        area(scores[member & positive], scores[~member & ~positive]),
    )


def area(positive: Floats, negative: Floats) -> Estimate | None:
    """Probability that a positive row scores higher than a negative one, ties counting half, with DeLong's interval (see
    `core.data.auc`) on the logit scale, so that it stays within 0 and 1."""
    m, n = len(positive), len(negative)
    if min(m, n) < FEWEST_OF_A_KIND:
        return None
    value, deviations = one_class(np.concatenate([positive, negative]), np.arange(m + n) < m)
    error = float(np.sqrt((deviations**2).sum()))
    if value in (0.0, 1.0):  # no spread: as many disjoint pairs as the rarer kind has rows, all of one order
        pairs = wilson(min(m, n) if value else 0, min(m, n))
        return Estimate(value=value, n=m + n, low=pairs.low, high=pairs.high, method="Wilson on disjoint pairs")
    middle, reach = log(value / (1 - value)), z_value() * error / (value * (1 - value))
    low, high = (1 / (1 + exp(-(middle + side * reach))) for side in (-1, 1))
    return Estimate(value=value, n=m + n, low=low, high=high, method="DeLong")


def power_mean(areas: Floats | list[float], power: float = POWER) -> float:
    """Generalised mean over groups; with p = -5 the worst group weighs most (Borkan et al. 2019, section 3)."""
    values = np.asarray(areas, dtype=np.float64)
    if (values <= 0).any():
        return 0.0
    return float(np.mean(values**power) ** (1 / power))
