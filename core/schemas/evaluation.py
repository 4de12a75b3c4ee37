"""The result of an evaluation: every figure with n and interval, for the base, the tuned model and simple baselines."""

from __future__ import annotations

from typing import Any

from .base import Schema
from .earlier_rounds import EarlierRound
from .estimates import Comparison, Estimate, Verdict
from .forgetting import Forgetting
from .predictor import Decoding


class MetricRow(Schema):
    """One metric over all contenders (`tuned`, `base`, `majority`, `mean`, `tfidf`, `nearest`), those that have it."""

    key: str
    title: str
    help: str
    format: str
    higher_is_better: bool
    values: dict[str, Estimate]
    comparison: Comparison | None = None
    warning: str = ""


class HonestScores(Schema):
    """The figures on the `n` rows that repeat no training row; `exact` and `near` rows (their ids: `row_ids`) do.

    `judged` says that the verdict rests on these rows, because there are enough of them.
    """

    n: int
    exact: int
    near: int
    row_ids: tuple[str, ...]
    metrics: tuple[MetricRow, ...]
    judged: bool
    sentence: str


class EvaluationResult(Schema):
    """`contents` names the Parquet tables of predictions by contender. `sentences` are the verdict in
    words; `worth_it` answers "was fine-tuning needed?".

    `matrix[i][j]` counts rows of label i that the tuned model called label j. `per_class` rows are plain JSON.
    `decoding` is how the answers were written (None where none were), `rounds` are other rounds on the same rows.
    `thresholds` are the probabilities from which each of the labels is given, where any number of them may be.
    `validation` is the table of the tuned model's predictions on validation rows, from which thresholds are chosen;
    `temperature` was fitted on them (None: not fitted). `analysis` is the address of what was found behind the figures
    (`core/services/analyses.py`). `groups` are independent groups of rows, 0 where all rows are independent.
    """

    split: str
    n: int
    family: str
    headline: str
    metrics: tuple[MetricRow, ...]
    labels: tuple[str, ...] = ()
    matrix: tuple[tuple[int, ...], ...] = ()
    per_class: tuple[dict[str, Any], ...] = ()
    thresholds: tuple[float, ...] = ()
    contents: dict[str, str]
    verdict: Verdict
    sentences: tuple[str, ...]
    worth_it: bool | None = None
    success: dict[str, Any] = {}
    base_note: str = ""
    generated: int = 0
    seconds: float = 0.0
    fixed: int = 0
    broken: int = 0
    honest: HonestScores | None = None
    decoding: Decoding | None = None
    forgetting: Forgetting | None = None
    rounds: tuple[EarlierRound, ...] = ()
    groups: int = 0
    validation: str = ""
    temperature: float | None = None
    analysis: str = ""

    def metric(self, key: str) -> MetricRow | None:
        return next((m for m in self.metrics if m.key == key), None)
