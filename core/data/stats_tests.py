"""Exact tests for paired yes/no outcomes and votes, and the correction for asking many questions at once."""

from __future__ import annotations

from collections.abc import Sequence


def sign_test(wins: int, losses: int) -> float:
    """Two-sided exact p that wins and losses are equally likely; ties are left out (Dixon & Mood 1946, JASA 41:557)."""
    n, k = wins + losses, min(wins, losses)
    term, tail = 1, 1
    for i in range(k):
        term = term * (n - i) // (i + 1)
        tail += term
    return min(1.0, 2 * tail / 2**n)


def mcnemar(only_base: int, only_tuned: int) -> float:
    """Two-sided exact p that base and tuned are right equally often on the same rows, from the rows where only one of
    them is right (McNemar 1947, Psychometrika 12:153; exact form: the sign test on the discordant pairs).
    """
    return sign_test(only_tuned, only_base)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values (q) in the given order; calling all q < .05 keeps the expected share of false alarms under 5%
    (Benjamini & Hochberg 1995, JRSS B 57:289).
    """
    m = len(p_values)
    order = sorted(range(m), key=p_values.__getitem__, reverse=True)
    adjusted, smallest = [0.0] * m, 1.0
    for rank_from_top, i in enumerate(order):
        smallest = min(smallest, p_values[i] * m / (m - rank_from_top))
        adjusted[i] = smallest
    return adjusted
