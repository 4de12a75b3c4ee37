"""What stands behind an evaluation: curves, calibration, weak spots, doubtful labels, and what to do next."""

from __future__ import annotations

from typing import Any

from .base import Schema
from .estimates import Estimate

Points = tuple[tuple[float, float], ...]


class ScoreCurve(Schema):
    """One label against the rest. `roc` is (false alarm rate, found rate), `precision_recall` is (found rate, share of the
    alarms that are right), both thinned for drawing. `share` is how many rows have the label."""

    label: str
    n: int
    share: float
    auc: Estimate | None
    average_precision: Estimate | None
    roc: Points
    precision_recall: Points


class ReliabilityBin(Schema):
    """Rows of similar confidence: their mean, and how many of them are right."""

    confidence: float
    right: Estimate


class Calibration(Schema):
    """Before and after dividing the logits by `temperature`, which was fitted on `fitted_on` validation rows (0: not
    fitted, then there is no after). Whoever serves the model can apply the same temperature."""

    temperature: float
    fitted_on: int
    before: tuple[ReliabilityBin, ...]
    after: tuple[ReliabilityBin, ...] = ()
    error_before: Estimate | None
    error_after: Estimate | None = None
    loss_before: Estimate | None
    loss_after: Estimate | None = None


class WeakSlice(Schema):
    """Rows that share something and fail more often than the others. `found` was measured on one half of the rows,
    `confirmed` on the other one, `others` are all remaining rows; each is a share of wrong rows. `h` is Cohen's effect
    size on the confirming half."""

    kind: str
    title: str
    found: Estimate
    confirmed: Estimate
    others: Estimate
    h: float
    row_ids: tuple[str, ...]


class Neighbour(Schema):
    """A training row that resembles a test row: cosine of their TF-IDF vectors, between 0 and 1."""

    row_id: str
    similarity: float
    label: str = ""


class Suspect(Schema):
    """A row whose label is probably wrong: `confidence` in its own label, `probability` of the suggested one."""

    row_id: str
    label: str
    suggested: str
    confidence: float
    probability: float


class NextStep(Schema):
    """One thing to do next. `gain` ranks it: rows that it might put right. `target` is a step of the journey, or "rows"
    where reading comes first; `settings` prepare it (see `core/ui/next_steps.py`)."""

    rule: str
    title: str
    text: str
    button: str = ""
    target: str = ""
    settings: dict[str, Any] = {}
    gain: float = 0.0
    row_ids: tuple[str, ...] = ()


class Analysis(Schema):
    """`neighbours` maps rows that went wrong to their most similar training rows. `slices_tried` is how many groups of
    rows were looked at. `left_out` says in words what was not looked at and why."""

    curves: tuple[ScoreCurve, ...] = ()
    calibration: Calibration | None = None
    slices: tuple[WeakSlice, ...] = ()
    slices_tried: int = 0
    neighbours: dict[str, tuple[Neighbour, ...]] = {}
    suspects: tuple[Suspect, ...] = ()
    steps: tuple[NextStep, ...] = ()
    left_out: tuple[str, ...] = ()
