"""The headline of an evaluation: verdict and main figure, remembered, since a list of rounds asks for many of them."""

from __future__ import annotations

from functools import lru_cache

from core.schemas.estimates import Verdict
from core.schemas.evaluation import EvaluationResult, MetricRow
from core.store import records
from core.store.tables import Evaluation


@lru_cache(maxsize=512)
def headline(evaluation_id: str) -> tuple[Verdict, MetricRow | None]:
    """An evaluation never changes; checking a whole one takes milliseconds. The row is None where it was not measured."""
    row = records.get(Evaluation, evaluation_id)
    assert row is not None
    result = EvaluationResult.model_validate(row.result)
    return result.verdict, result.metric(result.headline)
