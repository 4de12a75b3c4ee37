"""Bradley-Terry: a common order of three or more models from votes on pairs of them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np

from core.schemas.base import Schema
from core.schemas.estimates import Estimate

from .logistic import PRIOR, Fit, Floats, fit, probability


class Vote(NamedTuple):
    """`score` is 1 where `first` won, 0 where `second` did, one half for a tie (or both bad)."""

    first: str
    second: str
    score: float


class Standing(Schema):
    """One model. `strength` is in log-odds, the mean of all models being 0. `wins` is how often it would be preferred to
    another of these models, drawn at random; one half is neither. `votes` it took part in.
    """

    name: str
    strength: Estimate
    wins: Estimate
    votes: int


class Standings(Schema):
    """`rows` from the strongest to the weakest; `pairs[a][b]` is the chance that a is preferred to b."""

    rows: tuple[Standing, ...]
    pairs: dict[str, dict[str, Estimate]]


def standings(
    votes: Sequence[Vote | tuple[str, str, float]],
    groups: Sequence[Hashable] | None = None,
    prior: float | None = PRIOR,
) -> Standings:
    """Strengths such that the odds of a against b are exp(a - b) (Bradley & Terry 1952, Biometrika 39:324).

    Votes of one prompt share a key of `groups`. A tie counts as half a win of each. The weak prior (`core/data/logistic.py`)
    keeps a model that always won, or two models that never met, at finite strengths with wide intervals. Raises
    ValueError for a vote of a model against itself, or without votes.
    """
    cast = [Vote(*vote) for vote in votes]
    names = sorted({name for vote in cast for name in vote[:2]})
    place = {name: i for i, name in enumerate(names)}
    design = np.zeros((len(cast), len(names)))
    for row, vote in enumerate(cast):
        if vote.first == vote.second:
            raise ValueError(f"{vote.first!r} was compared with itself")
        design[row, place[vote.first]], design[row, place[vote.second]] = 1.0, -1.0
    found = fit(design, np.array([vote.score for vote in cast]), groups, prior)
    rows = [_standing(found, names, i, int((design[:, i] != 0).sum())) for i in range(len(names))]
    pairs = {
        a: {b: found.chance(_against(len(names), i, j), "Bradley-Terry") for j, b in enumerate(names) if i != j}
        for i, a in enumerate(names)
    }
    return Standings(rows=tuple(sorted(rows, key=lambda row: -row.strength.value)), pairs=pairs)


def _standing(found: Fit, names: Sequence[str], i: int, votes: int) -> Standing:
    others = [j for j in range(len(names)) if j != i]
    weights = np.full(len(names), -1 / len(names))
    weights[i] += 1
    value, low, high = found.interval(weights)
    strength = Estimate(value=value, n=found.n, low=low, high=high, method="Bradley-Terry")
    chances = np.array([probability(float(found.coefficients[i] - found.coefficients[j])) for j in others])
    mean = float(chances.mean())
    # How the mean chance moves with each strength, on the log-odds scale of the mean itself.
    slope = np.zeros(len(names))
    slope[others] = -chances * (1 - chances) / len(others)
    slope[i] = -slope[others].sum()
    centre, below, above = found.interval(slope / (mean * (1 - mean)))
    odds = float(np.log(mean / (1 - mean)))
    wins = Estimate(
        value=mean,
        n=found.n,
        low=probability(odds + below - centre),
        high=probability(odds + above - centre),
        method="Bradley-Terry",
    )
    return Standing(name=names[i], strength=strength, wins=wins, votes=votes)


def _against(count: int, i: int, j: int) -> Floats:
    weights = np.zeros(count)
    weights[i], weights[j] = 1.0, -1.0
    return weights
