"""Rounds beside each other: what an earlier round scored on the very rows of an evaluation."""

from __future__ import annotations

from .base import Schema
from .estimates import Comparison, Estimate


class EarlierRound(Schema):
    """`values` by metric. `comparisons` by metric: the earlier round on the side `base`, the evaluated one on `tuned`."""

    run_id: str
    number: int
    name: str
    evaluation_id: str
    n: int
    values: dict[str, Estimate]
    comparisons: dict[str, Comparison]
