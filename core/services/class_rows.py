"""Rows behind a classifier's figures for a screen: columns of the stored predictions, never one object a row.

A press on the screen must not turn ten thousand rows into Python objects. What is returned equals what the functions of
`core/metrics` give for whole predictions (a test holds it so).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.schemas.evaluation import EvaluationResult
from core.store.files import load_table

KEPT = 12  # tables that a dashboard remembers: a few contenders of a few rounds


@dataclass(frozen=True)
class Columns:
    """One entry a row, in the order of the table. `confidence` is NaN where a contender gave no probabilities."""

    row_id: NDArray[np.object_]
    gold: NDArray[np.object_]
    predicted: NDArray[np.object_]
    confidence: NDArray[np.float64]

    @property
    def wrong(self) -> NDArray[np.bool_]:
        return np.asarray(self.gold != self.predicted, dtype=bool)


@lru_cache(maxsize=KEPT)
def columns(content: str) -> Columns:
    """The columns of the table of predictions with this hash. Stored predictions never change."""
    table = load_table(content, ["row_id", "gold", "predicted", "probabilities"])
    found = table.column("probabilities").combine_chunks()
    lengths = pc.list_value_length(found).to_numpy(zero_copy_only=False)
    confidence = np.full(len(table), np.nan)
    if len(table) and lengths.min() > 0:
        confidence = found.flatten().to_numpy(zero_copy_only=False).reshape(len(table), -1).max(axis=1)
    row_id, gold, predicted = (
        table.column(name).to_numpy(zero_copy_only=False) for name in ("row_id", "gold", "predicted")
    )
    return Columns(row_id, gold, predicted, confidence)


def examples(found: EvaluationResult, kind: str, limit: int) -> list[dict[str, Any]]:
    """Rows that are `fixed` or `broken` against the base model, or `confident` errors, the surest first."""
    tuned = columns(found.contents["tuned"])
    if kind == "confident":
        chosen = _surest_first(tuned, np.flatnonzero(tuned.wrong))[:limit]
        return [
            {"row_id": row_id, "gold": gold, "tuned": said, "confidence": sure}
            for row_id, gold, said, sure in _rows(tuned, chosen)
        ]
    if "base" not in found.contents:
        return []
    base = columns(found.contents["base"])
    if not np.array_equal(base.row_id, tuned.row_id):
        return []
    now, before = tuned.wrong, base.wrong
    chosen = np.flatnonzero(before & ~now if kind == "fixed" else now & ~before)
    if kind == "broken":
        chosen = _surest_first(tuned, chosen)
    chosen = chosen[:limit]
    return [
        {
            "row_id": row_id,
            "gold": gold,
            "base": str(base.predicted[place]),
            "tuned": said,
            "confidence": None if np.isnan(sure) else sure,
        }
        for place, (row_id, gold, said, sure) in zip(chosen, _rows(tuned, chosen), strict=True)
    ]


def cell(found: EvaluationResult, gold: str, predicted: str) -> list[str]:
    """Ids of the rows behind one cell of the confusion matrix, the surest first."""
    tuned = columns(found.contents["tuned"])
    chosen = np.flatnonzero((tuned.gold == gold) & (tuned.predicted == predicted))
    return [str(row_id) for row_id in tuned.row_id[_surest_first(tuned, chosen)]]


def _surest_first(tuned: Columns, places: NDArray[np.intp]) -> NDArray[np.intp]:
    """Without probabilities in the order of the rows."""
    sure = np.nan_to_num(tuned.confidence[places], nan=0.0)
    return places[np.argsort(-sure, kind="stable")]


def _rows(tuned: Columns, places: NDArray[np.intp]) -> Iterator[tuple[str, str, str, float]]:
    for place in places:
        yield (
            str(tuned.row_id[place]),
            str(tuned.gold[place]),
            str(tuned.predicted[place]),
            float(tuned.confidence[place]),
        )
