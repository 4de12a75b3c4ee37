"""What a rule of the coach reads and what it says."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from core.schemas.base import Schema

Points = Sequence[tuple[int, float | None]]  # (step, value), oldest first
Known = list[tuple[int, float]]


class Advice(Schema):
    """`kind` names the rule and `step` is where it shows on the chart.

    `action` is a key of a change for the next round, `now` what this run itself can do ("stop" keeps the best
    checkpoint); both are empty where the screen has nothing to offer.
    """

    kind: str
    severity: str
    step: int
    title: str
    text: str
    action: str = ""
    now: str = ""


@dataclass(frozen=True)
class Curves:
    """The curves of one run so far. `validation` and `train` are losses measured in evaluation mode on the validation
    set and on a fixed sample of training rows; `batch` is the noisy loss of each batch. Lengths are in optimizer steps.

    For classifiers, `accuracy` and `macro_f1` are validation curves, `majority` is the share of the most frequent
    class and `held_out` the number of validation rows. `one_word` is the most telling
    single word and the accuracy that it reaches alone.
    """

    validation: Points = ()
    train: Points = ()
    batch: Points = ()
    grad_norm: Points = ()
    accuracy: Points = ()
    macro_f1: Points = ()
    total_steps: int = 0
    warmup_steps: int = 0
    steps_per_epoch: int = 0
    classes: int = 0
    majority: float | None = None
    held_out: int = 0
    one_word: tuple[str, float] | None = None


@dataclass(frozen=True)
class Rule:
    """One rule. `silenced_by` names rules whose advice makes this one's superfluous."""

    key: str
    order: int
    run: Callable[[Curves], Advice | None]
    silenced_by: frozenset[str] = field(default_factory=frozenset)


def known(points: Points) -> Known:
    """The points that are numbers."""
    return [(s, v) for s, v in points if v is not None and math.isfinite(v)]


def learned(points: Points) -> Known:
    """The points that are numbers, without the untrained model at step 0."""
    return [p for p in known(points) if p[0] > 0]


def lowest(points: Known) -> int:
    """Index of the lowest value."""
    return min(range(len(points)), key=lambda i: points[i][1])


def value_at(points: Known, step: int) -> float | None:
    """The newest value not after `step`."""
    before = [v for s, v in points if s <= step]
    return before[-1] if before else None
