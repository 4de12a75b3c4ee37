"""Rare categories get a louder voice: the weight of each in the loss, or how many of its rows a round reads.

Only training rows are weighed or drawn; what validates and tests stays as it is.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal

Balance = Literal["none", "weights", "oversample", "undersample"]
MOST_WEIGHT = 10.0  # house limit: beyond it a handful of rows steers the whole training
MOST_REPEATS = 10  # times that oversampling reads one row in a round; more of the same is learned by heart
FEWEST_ROWS = 50  # of a category after undersampling, as far as it has them


def class_weights(counts: Mapping[str, int]) -> dict[str, float]:
    """rows / (categories * rows of the category), at most `MOST_WEIGHT`: rarer categories weigh more, the mean row 1.

    The "balanced" heuristic of scikit-learn, after King and Zeng 2001, Logistic regression in rare events data.
    """
    present = {label: n for label, n in counts.items() if n}
    total = sum(present.values())
    return {label: min(MOST_WEIGHT, total / (len(present) * n)) for label, n in present.items()}


def rows_a_round(counts: Mapping[str, int], balance: Balance) -> dict[str, int]:
    """Rows of each category that one round reads.

    Oversampling raises every category towards the largest, undersampling lowers every one towards the rarest.
    """
    present = [n for n in counts.values() if n] or [0]
    if balance == "oversample":
        return {label: min(max(present), MOST_REPEATS * n) for label, n in counts.items()}
    if balance == "undersample":
        least = max(FEWEST_ROWS, min(present))
        return {label: min(n, least) for label, n in counts.items()}
    return dict(counts)


def drawn(labels: Sequence[int], balance: Balance, seed: int) -> list[int]:
    """Indices of the rows of one round, ascending, the same for the same seed.

    Oversampled rows all occur; each occurs as often as any other of its category, give or take once.
    """
    rows: dict[int, list[int]] = defaultdict(list)
    for index, label in enumerate(labels):
        rows[label].append(index)
    wanted = rows_a_round({str(label): len(found) for label, found in rows.items()}, balance)
    source = random.Random(seed)
    out: list[int] = []
    for label in sorted(rows):
        found, n = rows[label], wanted[str(label)]
        out += found * (n // len(found)) + source.sample(found, n % len(found))
    return sorted(out)
