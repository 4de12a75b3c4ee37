"""What votes may say when somebody looks at them and stops whenever they like."""

from __future__ import annotations

from math import exp, lgamma, log


def anytime_p(wins: int, losses: int) -> float:
    """p that wins and losses are equally likely, valid at any moment at which a person chooses to stop.

    The likelihood of the votes under a win rate drawn evenly from 0 to 1, over that under one half, is a martingale where
    both are equally likely, so that it ever reaches 1/p with a chance of p at most (Ville 1939; Robbins 1970, Annals of
    Mathematical Statistics 41:1397). Ties are left out.
    """
    n = wins + losses
    evidence = lgamma(wins + 1) + lgamma(losses + 1) - lgamma(n + 2) + n * log(2)
    return min(1.0, exp(-evidence)) if evidence > 0 else 1.0
