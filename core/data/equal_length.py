"""Win rate at equal length: how often one model would be preferred if both wrote answers of the same length."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from core.schemas.base import Schema
from core.schemas.estimates import Estimate

from .logistic import PRIOR, fit
from .stats_bootstrap import bootstrap_mean
from .stats_proportions import wilson


class EqualLength(Schema):
    """`win_rate` is what would be left at equal length, `raw` the plain share of wins (a tie is half a win).
    `longer_wins` is how often the longer answer won among the decisive votes on answers of different length, None where
    there is none.
    """

    win_rate: Estimate
    raw: Estimate
    longer_wins: Estimate | None


def win_rate(
    scores: Sequence[float],
    extra_length: Sequence[float],
    groups: Sequence[Hashable] | None = None,
    prior: float | None = PRIOR,
) -> EqualLength:
    """`scores` are 1 for a win of the tuned model, 0 for a loss, one half for a tie; `extra_length` is how much longer its
    answer was than the other one (words or characters, negative where shorter), in the same order. Votes on one prompt
    share a key of `groups`.

    Logistic regression of the vote on tanh(extra length / its standard deviation); the intercept is the win rate at equal
    length (Dubois et al. 2024, arXiv 2404.04475, of whose model this is the part about length). Where one model's
    answers are always longer, the interval is wide: the votes cannot tell length from quality. Raises ValueError
    without votes.
    """
    won, longer = np.asarray(scores, dtype=np.float64), np.asarray(extra_length, dtype=np.float64)
    if won.shape != longer.shape:
        raise ValueError(f"{len(won)} votes but {len(longer)} lengths")
    spread = float(longer.std()) or 1.0
    found = fit(np.column_stack([np.ones_like(won), np.tanh(longer / spread)]), won, groups, prior)
    decisive = (won != 0.5) & (longer != 0)
    agreeing = int(((won > 0.5) == (longer > 0))[decisive].sum())
    return EqualLength(
        win_rate=found.chance(np.array([1.0, 0.0]), "logistic regression at equal length"),
        raw=bootstrap_mean(won, groups, bounds=(0.0, 1.0)),
        longer_wins=wilson(agreeing, int(decisive.sum())) if decisive.any() else None,
    )
