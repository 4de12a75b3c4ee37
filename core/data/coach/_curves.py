"""What a rule of the coach reads and what it says."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from core.schemas.base import Schema

Points = Sequence[tuple[int, float | None]]  # (step, value), oldest first
Known = list[tuple[int, float]]


class Mark(Schema):
    """A point that the advice speaks of: where on the axis of which curve, and in a few words what is to be seen there."""

    step: int
    label: str
    curve: str = "loss"


class Advice(Schema):
    """`kind` names the rule, `step` is the point that it is about, and `marks` are shown on the charts as its evidence.

    `action` is a key of a change for the next round, `now` what this run itself can do ("stop" keeps the best
    checkpoint), `look` the key of the screen where its cause is to be looked for. One of them at least is given.
    """

    kind: str
    severity: str
    step: int
    title: str
    text: str
    marks: tuple[Mark, ...]
    action: str = ""
    now: str = ""
    look: str = ""


@dataclass(frozen=True)
class Curves:
    """The curves of one run so far. `validation` and `train` are losses measured in evaluation mode on the validation
    set and on a fixed sample of training rows; `batch` is the noisy loss of each batch. Lengths are in optimizer steps.

    Where a model answers with something that is right or wrong, `right` is the validation curve of how much is right, from
    0 to 1, `right_name` the name of that curve (one of `core/schemas/curves.py`) and `f1` the curve that says whether the
    answers stay as good, `f1_name` its name. `best_by` names the curve that the best checkpoint
    is chosen by. `guessing` is the loss of a model that knows only how often each answer occurs,
    `majority` the share of the most frequent class and `held_out` the number of validation rows. `one_word` is the most
    telling single word and the accuracy that it reaches alone.
    """

    validation: Points = ()
    train: Points = ()
    batch: Points = ()
    grad_norm: Points = ()
    right: Points = ()
    right_name: str = ""
    f1: Points = ()
    f1_name: str = ""
    best_by: str = ""
    total_steps: int = 0
    warmup_steps: int = 0
    steps_per_epoch: int = 0
    guessing: float | None = None
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
