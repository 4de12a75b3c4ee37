"""How many degrees of freedom a spread has that was estimated from few or uneven independent units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from math import inf

import numpy as np
from numpy.typing import ArrayLike


def degrees(
    influences: ArrayLike, multiplicity: ArrayLike | None = None, groups: Sequence[Hashable] | None = None
) -> float | None:
    """Degrees of freedom of a variance that is estimated from how much each independent unit moves the figure, shape
    (units,): 2 n / (kurtosis - 1), as by Satterthwaite 1946 (Biometrics Bulletin 2:110), which is n for normal ones and
    far fewer where a handful of units decide (errors that sit in three groups of fifty). Where the units are `groups` of
    rows (one key a row), also at most one less than as many groups of equal size as would weigh the same (Kish 1965). None
    where nothing varies.
    """
    most = even(groups) - 1 if groups is not None else inf
    moved = np.asarray(influences, dtype=np.float64)
    known = np.isfinite(moved)
    counts = np.ones(len(moved)) if multiplicity is None else np.asarray(multiplicity, dtype=np.float64)
    moved, counts = moved[known], counts[known]
    n = float(counts.sum())
    if n < 2:
        return None if most == inf else most
    squares = np.square(moved - counts @ moved / n)
    second, fourth = counts @ squares, counts @ np.square(squares)
    if second <= 0 or n * fourth <= second**2 * (1 + 1e-9):
        return None if most == inf else most
    return min(most, float(2 * n / (n * fourth / second**2 - 1)))


def even(groups: Sequence[Hashable]) -> float:
    """How many groups of equal size would weigh the same: (rows)^2 / sum of squared sizes."""
    sizes = np.array(list(Counter(groups).values()), dtype=np.float64)
    return float(sizes.sum() ** 2 / np.square(sizes).sum())
