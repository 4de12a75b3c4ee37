"""Numbers that are far from what the other rows teach: residuals of a quick linear model that had not seen the row.

A residual counts as far from 3.5 robust standard deviations on (the modified z-score of Iglewicz and Hoaglin 1993, "How to
detect and handle outliers": 0.6745 times the distance to the median over the median absolute deviation).
"""

from __future__ import annotations

import numpy as np

from core.schemas.estimates import Estimate
from core.schemas.findings import Finding

from ..in_words import significant
from ..statistics import bootstrap_mean
from ..text_model import features, out_of_fold_numbers
from ._check import NUMBERS, Check
from ._context import Context
from ._doubts import ROWS, blind, doubted, judged

FAR = 3.5
TELLING = 0.1  # share of the mean absolute error that words have to take away (house threshold)


def run(context: Context) -> list[Finding]:
    rows = judged(context)
    values = np.array([context.values[i] for i in rows], dtype=np.float64)
    if len(rows) < ROWS or len(np.unique(values)) < 3:
        return []
    found = features([context.texts[i] for i in rows])
    if found is None:
        return []
    said = out_of_fold_numbers(found[0], values, [context.folded[i] for i in rows])
    away = values - said
    gain = _gain(values, away)
    if gain.low is None or gain.low <= 0 or gain.value < TELLING * np.abs(values - np.median(values)).mean():
        return [
            blind(
                "number_noise",
                "Wrong numbers could not be looked for: the words of the texts do not tell the numbers",
                "A quick model on words is hardly nearer than always saying the middle. Either the numbers depend on more than "
                "words, or many are wrong, or there are too few rows.",
                len(rows),
                gain,
            )
        ]
    middle = np.median(away)
    spread = np.median(np.abs(away - middle)) / 0.6745
    far = np.abs(away - middle) / spread if spread > 0 else np.zeros(len(away))
    order = sorted(np.flatnonzero(far > FAR), key=lambda i: -far[i])
    doubts = [
        (
            rows[i],
            f"{significant(values[i], 6)}, the other rows say about {significant(said[i])} ({far[i]:.1f} deviations)",
            1 / float(far[i]),
        )
        for i in order
    ]
    meaning = (
        "They are far from what the words of the other rows would say, which is often a slip of the pen, another unit or a "
        f"shifted row. The quick model is off by {significant(np.abs(away).mean(), 4)} on average; a row is "
        f"named when it is off by more than {significant(FAR * spread, 4)}."
    )
    return [doubted("number_noise", "number", context, doubts, len(rows), meaning)]


def _gain(values: np.ndarray, away: np.ndarray) -> Estimate:
    """How much nearer the quick model is than the median of all, on average, in the person's unit."""
    return bootstrap_mean(np.abs(values - np.median(values)) - np.abs(away))


PLUGIN = Check("number_noise", "Wrong numbers", 41, NUMBERS, run, "Labels")
