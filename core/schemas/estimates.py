"""A figure never stands alone: it carries how many examples it rests on and how far it can be trusted."""

from __future__ import annotations

from enum import StrEnum

from .base import Schema


class Estimate(Schema):
    """A measured value with its 95% interval. `n` is the number of independent examples behind it.

    `low` and `high` are None where no interval can be given, and `method` says how they were obtained
    (for example "Wilson" or "bootstrap, 10,000 draws").
    """

    value: float
    n: int
    low: float | None = None
    high: float | None = None
    method: str = ""


class Verdict(StrEnum):
    """The only four things that a comparison may say."""

    BETTER = "better"
    WORSE = "worse"
    NO_EVIDENCE = "no evidence"
    NOT_ENOUGH_DATA = "not enough data"


class Comparison(Schema):
    """`change` is tuned minus base in the metric's own unit, paired by example. `p` from the named test, if any."""

    metric: str
    base: Estimate
    tuned: Estimate
    change: Estimate
    verdict: Verdict
    p: float | None = None
    test: str = ""
