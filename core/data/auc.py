"""Area under the ROC curve: the chance that a row of one kind scores higher than one of the other, ties counting half."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def one_class(scores: Floats, own: np.ndarray) -> tuple[float, Floats]:
    """AUC, and each row's deviation: its share of the other side in the right order, less the AUC, scaled so that the squares
    sum to the variance of DeLong, DeLong & Clarke-Pearson 1988 (Biometrics 44:837).

    `scores` has shape (rows,), `own` says which rows are of the first kind; both kinds must occur.
    """
    mine, others = scores[own], scores[~own]
    shares = np.empty(len(scores))
    shares[own] = _share_below(mine, others)
    shares[~own] = 1 - _share_below(others, mine)
    value = float(shares[own].mean())
    sizes = np.where(own, len(mine), len(others))
    return value, (shares - value) / np.sqrt(sizes * np.maximum(sizes - 1, 1))


def _share_below(scores: Floats, others: Floats) -> Floats:
    """For each score the share of the others below it, ties counting half."""
    ordered = np.sort(others)
    below, up_to = np.searchsorted(ordered, scores, "left"), np.searchsorted(ordered, scores, "right")
    return (below + up_to) / (2 * len(others))
