"""Do the examples look like real use? A two-sample test by classifier, and how lengths and languages differ.

Lopez-Paz and Oquab 2017, "Revisiting classifier two-sample tests" (ICLR): a model that cannot tell two samples apart has an
AUC of .5. The interval of the AUC is that of Hanley and McNeil 1982 (Radiology 143:29).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from core.schemas.estimates import Estimate

from .duplicates import normalise
from .text_model import features, out_of_fold

MOST = 2_000  # texts of each side that are compared
DRAWS = 200
LENGTHS = [0, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 512, 1024, 2**31]  # words


@dataclass(frozen=True)
class TwoSamples:
    """`auc`: how well real use is told from the data (.5 not at all). `realest` are the indices of real texts that are least
    like the data, `unreal` those of data that are least like real use; `words` stand in real texts and hardly in the data."""

    auc: Estimate
    real: tuple[int, ...]
    data: tuple[int, ...]
    realest: tuple[int, ...]
    unreal: tuple[int, ...]
    words: tuple[str, ...]


def compare(data: Sequence[str], real: Sequence[str], seed: int = 0) -> TwoSamples | None:
    """The test on up to `MOST` texts of each side. None where the texts hold no words."""
    rng = random.Random(seed)
    mine = sorted(rng.sample(range(len(data)), min(MOST, len(data))))
    theirs = sorted(rng.sample(range(len(real)), min(MOST, len(real))))
    texts = [data[i] for i in mine] + [real[i] for i in theirs]
    found = features(texts)
    if found is None:
        return None
    matrix, names = found
    y = np.asarray([0] * len(mine) + [1] * len(theirs))
    # A text that stands on both sides is one group: it must not be learned on one side and recognised on the other.
    scores = out_of_fold(matrix, y, [normalise(text) for text in texts], strength=1.0, seed=seed)[:, 1]
    order = np.argsort(-scores[len(mine) :], kind="stable")
    far = np.argsort(scores[: len(mine)], kind="stable")
    share = [np.asarray((matrix[y == side] > 0).mean(axis=0)).ravel() for side in (0, 1)]
    lacking = np.argsort(-(share[1] - share[0]), kind="stable")[:50]
    lacked = [names[k] for k in lacking if share[1][k] >= 0.02 and share[1][k] > 3 * share[0][k] and names[k].strip()]
    return TwoSamples(
        auc(scores[len(mine) :], scores[: len(mine)]),
        tuple(theirs),
        tuple(mine),
        tuple(theirs[k] for k in order.tolist()),
        tuple(mine[k] for k in far.tolist()),
        tuple(lacked[:12]),
    )


def auc(positive: np.ndarray, negative: np.ndarray) -> Estimate:
    """Area under the ROC curve with the interval of Hanley and McNeil; n is the smaller side."""
    from scipy.stats import rankdata

    m, n = len(positive), len(negative)
    ranks = rankdata(np.concatenate([positive, negative]))
    value = float((ranks[:m].sum() - m * (m + 1) / 2) / (m * n))
    inner = min(max(value, 0.5 / min(m, n)), 1 - 0.5 / min(m, n))  # at 0 and 1 the formula knows no doubt
    q1, q2 = inner / (2 - inner), 2 * inner**2 / (1 + inner)
    variance = (inner * (1 - inner) + (m - 1) * (q1 - inner**2) + (n - 1) * (q2 - inner**2)) / (m * n)
    half = 1.96 * sqrt(max(0.0, variance))
    return Estimate(
        value=value, n=min(m, n), low=max(0.0, value - half), high=min(1.0, value + half), method="Hanley and McNeil"
    )


def divergence(a: np.ndarray, b: np.ndarray) -> float:
    """Jensen-Shannon divergence of two histograms in bits: 0 the same, 1 nothing in common (Lin 1991)."""
    p, q = a / max(1, a.sum()), b / max(1, b.sum())
    middle = (p + q) / 2

    def entropy(x: np.ndarray) -> float:
        x = x[x > 0]
        return float(-(x * np.log2(x)).sum())

    return max(0.0, entropy(middle) - (entropy(p) + entropy(q)) / 2)


def divergence_of(a: Sequence[int], b: Sequence[int], kinds: int, seed: int = 0) -> tuple[Estimate, float]:
    """Divergence of two samples of categories 0..kinds-1 with a bootstrap interval, and how often chance alone gives as much
    (200 permutations)."""
    rng = np.random.default_rng(seed)
    x, y = np.bincount(a, minlength=kinds), np.bincount(b, minlength=kinds)
    value = divergence(x, y)
    drawn = [divergence(rng.multinomial(len(a), x / len(a)), rng.multinomial(len(b), y / len(b))) for _ in range(DRAWS)]
    together = np.concatenate([np.asarray(a), np.asarray(b)])
    chance = 0
    for _ in range(DRAWS):
        rng.shuffle(together)
        halves = (np.bincount(part, minlength=kinds) for part in (together[: len(a)], together[len(a) :]))
        chance += divergence(*halves) >= value
    low, high = np.quantile(drawn, [0.025, 0.975])
    estimate = Estimate(
        value=value, n=min(len(a), len(b)), low=float(low), high=float(high), method="bootstrap, 200 draws"
    )
    return estimate, (chance + 1) / (DRAWS + 1)
