"""What a training, an evaluation or an export in the child process is given: plain values, no database."""

from __future__ import annotations

from typing import Any, Literal

from .base import Schema
from .examples import Example
from .plan import PreparationPlan
from .recipe import Recipe
from .terms import TermSpec

Objective = Literal["answers", "pairs", "thumbs"]


class TrainingSpec(Schema):
    """Everything one training needs. `folder` is the run's own; `resume_from` a verified checkpoint inside it.

    `labels` is the fixed order of class names (classification only). `token_cache` is the folder where encoded rows are kept for
    the next training; none, and they are not. `terms` are what corrective actions ask of the training.
    """

    run_id: str
    family: str
    folder: str
    base_folder: str
    plan: PreparationPlan
    recipe: Recipe
    labels: tuple[str, ...] = ()
    train: tuple[Example, ...]
    validation: tuple[Example, ...]
    resume_from: str | None = None
    token_cache: str | None = None
    terms: tuple[TermSpec, ...] = ()

    @property
    def objective(self) -> Objective:
        """What the rows teach: right answers (or labels), which of two answers is better, or whether one was liked."""
        if any(example.rejected for example in self.train):
            return "pairs"
        return "thumbs" if any(example.liked is not None for example in self.train) else "answers"


class DryRun(Schema):
    """What a few real steps on the longest rows needed. Memory in bytes, as `TrainingResult.peak_memory`."""

    seconds_per_step: float
    tokens_per_second: float
    evaluated_tokens_per_second: float
    peak_memory: int
    device: str


class TrainingResult(Schema):
    """`ended` is done, stopped or early (early stopping). `best_step` names the checkpoint that became the model."""

    ended: str
    best_step: int
    best_metric: str
    best_value: float
    steps: int
    epochs: float
    seconds: float
    train_tokens: int
    peak_memory: int
    device: str
    precision: str
    examples: dict[str, int]
    dropped: dict[str, int]
    versions: dict[str, str]
    details: dict[str, Any] = {}
