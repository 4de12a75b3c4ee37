"""The coach: rules that read the curves and say in words what they mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from core.schemas.base import Schema

Points = Sequence[tuple[int, float | None]]  # (step, value), oldest first


class Advice(Schema):
    """`kind` names the rule; `step` is where it shows; `action` is a key of a change that the screen can offer."""

    kind: str
    severity: str
    step: int
    title: str
    text: str
    action: str = ""


def _clean(points: Points) -> list[tuple[int, float]]:
    return [(s, v) for s, v in points if v is not None and math.isfinite(v)]


def read(
    *,
    validation: Points,
    train: Points,
    batch: Points,
    grad_norm: Points,
    total_steps: int,
    warmup_steps: int,
    classes: int = 0,
) -> list[Advice]:
    """All rules that fire. `validation` and `train` are eval-mode losses, `batch` the noisy loss of each batch."""
    rules = (
        nan(batch),
        diverging(batch, grad_norm, warmup_steps),
        overfitting(validation, train),
        not_learning(train, total_steps, classes),
        underfitting(validation, train, total_steps),
    )
    return [advice for advice in rules if advice is not None]


def nan(batch: Points) -> Advice | None:
    """Any batch loss that is no number."""
    bad = next((s for s, v in batch if v is None or not math.isfinite(v)), None)
    if bad is None:
        return None
    return Advice(
        kind="nan",
        severity="error",
        step=bad,
        title=f"The loss is not a number at step {bad}",
        text="A step was so large that the weights ran away. Use a learning rate three times lower or more warm-up.",
        action="lower_learning_rate",
    )


def overfitting(validation: Points, train: Points) -> Advice | None:
    """Two evaluations past the best, now at least 2% above it, and the training loss still falling."""
    points = [p for p in _clean(validation) if p[0] > 0]
    if len(points) < 4:
        return None
    best = min(range(len(points)), key=lambda i: points[i][1])
    now = points[-1][1]
    learned = [p for p in _clean(train) if p[0] > 0]
    until_best = [v for s, v in learned if s <= points[best][0]]
    falling = bool(until_best) and learned[-1][1] < min(until_best)
    if len(points) - 1 - best < 2 or now < 1.02 * points[best][1] or not falling:
        return None
    return Advice(
        kind="overfitting",
        severity="warning",
        step=points[best][0],
        title=f"Overfitting since step {points[best][0]}",
        text="It is memorising the training rows: the loss on training still falls, on validation it rises. The best "
        "checkpoint is kept. For the next round: fewer epochs, or more and more varied examples.",
        action="fewer_epochs",
    )


def not_learning(train: Points, total_steps: int, classes: int) -> Advice | None:
    """After 20% of the steps the training loss is still where guessing would be (ln K), or hardly moved at all."""
    points = _clean(train)
    if len(points) < 3 or points[-1][0] < 0.2 * total_steps or points[-1][0] == 0:
        return None
    first, now = points[0][1], min(v for _, v in points[1:])
    guessing = math.log(classes) if classes > 1 else None
    stuck = now > 0.97 * guessing if guessing else now > 0.995 * first
    if not stuck:
        return None
    return Advice(
        kind="not_learning",
        severity="warning",
        step=points[-1][0],
        title="It is not learning yet",
        text="The loss is where guessing would be. Use a learning rate three to ten times higher, and check the labels and "
        "what is trained on the Tokenization screen.",
        action="raise_learning_rate",
    )


def diverging(batch: Points, grad_norm: Points, warmup_steps: int) -> Advice | None:
    """After warm-up the smoothed loss is above that of the first points, or a gradient is ten times the median."""
    points = _clean(batch)
    late = [p for p in points if p[0] > warmup_steps]
    if len(points) < 30 or len(late) < 10:
        return None
    start = sum(v for _, v in points[:10]) / 10
    now = sum(v for _, v in late[-10:]) / 10
    norms = [v for _, v in _clean(grad_norm)]
    wild = len(norms) >= 30 and norms[-1] > 10 * median(norms) and now > start
    if now <= 1.05 * start and not wild:
        return None
    return Advice(
        kind="diverging",
        severity="warning",
        step=late[-1][0],
        title="The learning rate looks too high",
        text="The loss is higher than at the start. Use a third of the learning rate and more warm-up.",
        action="lower_learning_rate",
    )


def underfitting(validation: Points, train: Points, total_steps: int) -> Advice | None:
    """At the end both losses still fall by more than 1% in the last tenth of the steps.

    A fall of less than 0.5% of what the loss was at the start does not count: near zero, 1% of it is nothing.
    """
    held, learned = _clean(validation), _clean(train)
    if len(held) < 4 or not held[-1][0] >= total_steps > 0:
        return None

    def falling(points: list[tuple[int, float]]) -> bool:
        before = [v for s, v in points if s <= 0.9 * total_steps]
        return bool(before) and before[-1] - points[-1][1] > max(0.01 * before[-1], 0.005 * points[0][1])

    if not (falling(held) and learned and falling(learned)):
        return None
    return Advice(
        kind="underfitting",
        severity="info",
        step=held[-1][0],
        title="It stopped while still improving",
        text="Both losses were falling to the end. For the next round: half as many epochs again.",
        action="more_epochs",
    )
