"""Metrics: how well a model does. One file each. See `core/discovery.py`."""

from __future__ import annotations

from core.discovery import discover
from core.schemas.families import Family

from ._base import Change, Metric
from ._compare import compare
from ._examples import Flip, ScoreChange, broken, changed_most, confident_errors, fixed
from ._per_class import ClassScores, Confusion, cell_rows, confusion, per_class

__all__ = [
    "Change",
    "ClassScores",
    "Confusion",
    "Flip",
    "Metric",
    "ScoreChange",
    "broken",
    "cell_rows",
    "changed_most",
    "compare",
    "confident_errors",
    "confusion",
    "fixed",
    "for_family",
    "per_class",
    "registry",
]


def registry() -> dict[str, Metric]:
    """Every plug-in of this folder by its key."""
    return discover(__name__)


def for_family(family: Family) -> list[Metric]:
    """The metrics that apply to a family of models, in the order they are shown."""
    return [metric for metric in registry().values() if family in metric.families]
