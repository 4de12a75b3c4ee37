"""Other rounds of the same lineage as contenders: their stored predictions on the same rows, tested in pairs with these."""

from __future__ import annotations

from collections.abc import Iterable

from core.metrics import compare
from core.metrics import registry as metrics
from core.schemas.earlier_rounds import EarlierRound
from core.schemas.estimates import Estimate
from core.schemas.evaluation import EvaluationResult
from core.schemas.predictions import Predictions
from core.store.tables import Evaluation, Run

from . import evaluation_rows, evaluations, runs

MOST = 5
"""Rounds that are compared, the newest first: each costs as much as the comparison with the base model."""


def compared(run: Run, split: str, tuned: Predictions, keys: Iterable[str]) -> tuple[EarlierRound, ...]:
    """Finished rounds with a stored evaluation on exactly these rows, by number. `keys` are the metrics to compare.

    A round whose rows or right answers differ by a single one is left out: its figures would not be comparable.
    """
    rows, keys = _rows(tuned), list(keys)
    found: list[EarlierRound] = []
    for other in runs.finished(run.project_id):
        if other.id == run.id or other.task != run.task or len(found) == MOST:
            continue
        for kept in evaluations.of_run(other.id, split):
            result = evaluations.result(kept)
            if result.n == len(tuned) and _rows(before := evaluation_rows.predictions(result, "tuned")) == rows:
                found.append(_compared(other, kept, result, before, tuned, keys))
                break
    return tuple(sorted(found, key=lambda earlier: earlier.number))


def _rows(predictions: Predictions) -> dict[str, object]:
    """Row id to the right answer."""
    return {item.row_id: getattr(item, "gold", getattr(item, "reference", None)) for item in predictions.items}


def _compared(
    run: Run, kept: Evaluation, result: EvaluationResult, before: Predictions, tuned: Predictions, keys: list[str]
) -> EarlierRound:
    values: dict[str, Estimate] = {row.key: row.values["tuned"] for row in result.metrics if "tuned" in row.values}
    comparisons = {}
    for key in keys:
        if key in values and metrics()[key].judged and (made := compare(metrics()[key], before, tuned)) is not None:
            comparisons[key] = made
    return EarlierRound(
        run_id=run.id,
        number=run.number,
        name=run.name,
        evaluation_id=kept.id,
        n=len(tuned),
        values=values,
        comparisons=comparisons,
    )
