"""From which probability a label is given: one half, or what serves each label best on validation rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.schemas.examples import Example
from core.schemas.label_sets import HALF

FEWEST = 10
"""A label with fewer validation rows that have it, or that lack it, keeps one half: its best cut would be luck (house)."""


def choose(
    labels: Sequence[str], examples: Sequence[Example], probabilities: Sequence[Sequence[float]]
) -> tuple[float, ...]:
    """The threshold of each label with the greatest F1 on these rows, half-way between two probabilities.

    Of equally good ones the nearest to one half. `probabilities` has the shape (rows, labels). For validation rows only:
    a threshold chosen on the rows that it is judged by flatters itself (Lipton et al. 2014, arXiv 1402.1892).
    """
    scores = np.asarray(probabilities, dtype=np.float64).reshape(len(examples), len(labels))
    return tuple(
        _best(scores[:, k], np.array([label in (e.labels or ()) for e in examples], dtype=bool))
        for k, label in enumerate(labels)
    )


def _best(scores: np.ndarray, true: np.ndarray) -> float:
    if min(true.sum(), (~true).sum()) < FEWEST:
        return HALF
    values = np.unique(scores)
    cuts = np.append((values[1:] + values[:-1]) / 2, HALF)
    given = scores[None, :] >= cuts[:, None]
    f1 = 2 * (given & true).sum(axis=1) / (given.sum(axis=1) + true.sum())
    best = cuts[f1 == f1.max()]
    return float(best[np.argmin(np.abs(best - HALF))])
