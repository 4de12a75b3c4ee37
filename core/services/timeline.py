"""What happened in a run, as moments on the axis of its curves; and which evaluation is the best so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from core.schemas.curves import Axis, curve_of
from core.schemas.recipe import Recipe
from core.store import curves
from core.store.tables import Run

# Kinds of run events that stand on the axis, with their short label. A checkpoint is a small mark, since there are many.
LABELS = {
    "started": "started",
    "resumed": "continued",
    "paused": "paused",
    "shutdown": "interrupted",
    "memory": "smaller batches",
    "early": "stopped early",
    "stopped": "stopped",
    "checkpoint": "checkpoint",
    "room": "low disk",
    "cleared": "checkpoints removed",
    "compiling": "compiled or not",
}
SMALL = ("started", "checkpoint", "compiling")


class Moment(NamedTuple):
    """`step` is where it stands; `label` is for the axis, `title` and `text` are for a list. `at` in seconds since 1970."""

    step: int
    kind: str
    label: str
    title: str
    text: str
    at: float

    @property
    def small(self) -> bool:
        return self.kind in SMALL


class Best(NamedTuple):
    step: int
    value: float
    metric: str


def moments(run: Run) -> list[Moment]:
    """Everything worth a mark, oldest first."""
    found = [
        Moment(max(0, e.step), e.kind, LABELS[e.kind], e.title, e.text, e.at)
        for e in curves.events(run.id)
        if e.kind in LABELS
    ]
    told = {m.step for m in found if m.kind == "checkpoint"}
    found += [  # one that was saved just before the process was killed, or by an older version
        Moment(c.step, "checkpoint", LABELS["checkpoint"], f"Checkpoint of step {c.step} saved", "", c.at)
        for c in curves.checkpoints(run.id)
        if c.step not in told
    ]
    return sorted(found, key=lambda m: (m.step, m.at))


def best(run: Run) -> Best | None:
    """The best evaluation: of the finished run as it was kept, else of the points so far. Step 0 is the base model."""
    if run.best:
        return Best(int(run.best["step"]), float(run.best["value"]), str(run.best["metric"]))
    recipe = Recipe.model_validate(run.recipe)
    name = curve_of(recipe.best_metric)
    points = [
        (p.step, p.value) for p in curves.points(run.id, [(name, "validation")]) if p.step and p.value is not None
    ]
    if not points:
        return None
    pick = max if recipe.higher_is_better else min
    step, value = pick(points, key=lambda point: point[1])
    return Best(step, value, recipe.best_metric)


def positions(run_id: str, axis: Axis) -> Callable[[Sequence[float]], list[float]] | None:
    """How steps of this run lie along an axis: tokens seen, or minutes of training without pauses.

    None where the run recorded no such thing (it is older than that). Epochs are in the points themselves, so that the
    steps of an `epoch` axis are read from the loss curve. Between two recorded steps it is a straight line.
    """
    if axis == "step":
        return list
    if axis == "epoch":
        known = [(b.step, b.epoch) for b in curves.series(run_id, "loss", "batch")]
    else:
        scale = 60 if axis == "time" else 1
        name = "seconds" if axis == "time" else "tokens"
        known = [
            (b.step, b.low / scale) for b in curves.series(run_id, name, "batch")
        ]  # grows: low is of the first step
    if not known:
        return None
    steps, values = (list(column) for column in zip((0, 0.0), *known, strict=True))
    return lambda wanted: [float(v) for v in np.interp(wanted, steps, values)]
