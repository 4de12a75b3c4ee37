"""How sure a plain model is of a row's label, when it has learned from other rows only; and which label it would give.

The self-confidence of confident learning (Northcutt, Jiang and Chuang 2021, https://arxiv.org/abs/1911.00068): the
probability of the given label by a model that has not seen the row. The lowest come first in a queue.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from core.schemas.examples import Example

from .baselines import word_counts

FOLDS = 5
LEARNED_FROM = 5_000  # rows; more would not change the order of a queue and takes longer than a person waits


class Guess(NamedTuple):
    """`confidence` is the probability of the given label, `probability` that of `suggested`, the likeliest label."""

    confidence: float
    suggested: str
    probability: float


def guesses(examples: Sequence[Example], asked: Sequence[int], seed: int = 0) -> dict[int, Guess]:
    """Guesses for the labelled examples with these indices, by TF-IDF and logistic regression.

    Where the others are at least three times as many, one model learns from these alone; else the asked rows are held out
    fold by fold. Empty where there are not two labels to tell apart.
    """
    labels = sorted({e.label for e in examples if e.label})
    wanted = [i for i in asked if examples[i].label]
    if len(labels) < 2 or not wanted:
        return {}
    random = np.random.default_rng(seed)
    held = set(wanted)
    others = [i for i, e in enumerate(examples) if e.label and i not in held]
    parts = 1 if len(others) >= 3 * len(wanted) else min(FOLDS, len(wanted))
    fold = random.permutation(len(wanted)) % parts
    found: dict[int, Guess] = {}
    for part in range(parts):
        out = [i for i, f in zip(wanted, fold, strict=True) if f == part]
        learned = [*others, *(i for i, f in zip(wanted, fold, strict=True) if f != part)]
        if len(learned) > LEARNED_FROM:
            learned = [learned[i] for i in random.choice(len(learned), LEARNED_FROM, replace=False)]
        if len({examples[i].label for i in learned}) < 2:
            continue
        predicted = word_counts([examples[i] for i in learned], [examples[i] for i in out], labels)
        for i, shares in zip(out, predicted.matrix, strict=True):
            best = int(np.argmax(shares))
            found[i] = Guess(float(shares[labels.index(examples[i].label or "")]), labels[best], float(shares[best]))
    return found
