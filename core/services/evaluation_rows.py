"""The rows behind an evaluation's figures, for screens: stored predictions, examples of interest, and their texts."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, cast

from core.metrics import registry as metrics
from core.metrics._examples import changed_most
from core.schemas.evaluation import EvaluationResult
from core.schemas.examples import Example
from core.schemas.label_sets import LabelSetPredictions
from core.schemas.number_predictions import NumberPredictions
from core.schemas.predictions import TABLES, Predictions, TextPredictions
from core.store.files import load_table
from core.store.tables import Run

from . import class_rows, datasets


def predictions(found: EvaluationResult, contender: str) -> Predictions:
    """The stored predictions of `tuned`, `base`, `majority`, `mean`, `tfidf` or `nearest`."""
    return _kept(found.family, found.contents[contender])


@lru_cache(maxsize=8)
def _kept(family: str, content: str) -> Predictions:
    """Predictions never change under their address; a screen asks for them at every press."""
    return TABLES[family].from_table(load_table(content))


def validation_predictions(found: EvaluationResult) -> Predictions | None:
    """What the tuned model said about validation rows, where it was kept."""
    return _kept(found.family, found.validation) if found.validation else None


def examples_of_interest(found: EvaluationResult, kind: str, limit: int = 50) -> list[dict[str, Any]]:
    """Rows behind `fixed`, `broken`, `confident` (errors), `gained` or `lost`, as plain rows for a table."""
    if found.family == "classifier":
        return class_rows.examples(found, kind, limit)
    tuned = predictions(found, "tuned")
    base = predictions(found, "base") if "base" in found.contents else None
    if isinstance(tuned, NumberPredictions):
        worst = sorted(tuned.items, key=lambda item: -abs(item.error))[:limit]
        return [{"row_id": p.row_id, "gold": p.gold, "tuned": p.predicted, "error": p.error} for p in worst]
    if isinstance(tuned, LabelSetPredictions):
        return label_examples(base, tuned, kind)[:limit]
    if kind == "worst":
        return _worst_answers(found, cast(TextPredictions, tuned), cast(TextPredictions | None, base), limit)
    if base is None:
        return []
    changes = changed_most(metrics()[found.headline], base, tuned)
    chosen = changes[:limit] if kind in ("fixed", "gained") else changes[::-1][:limit]
    by_id = {item.row_id: item for item in cast(TextPredictions, tuned).items}
    before = {item.row_id: item for item in cast(TextPredictions, base).items}
    return [
        {
            **change.model_dump(),
            "prompt": by_id[change.row_id].prompt,
            "reference": by_id[change.row_id].reference,
            "tuned_text": by_id[change.row_id].text,
            "base_text": before[change.row_id].text,
        }
        for change in chosen
        if (change.gain > 0) == (kind in ("fixed", "gained"))
    ]


def _worst_answers(
    found: EvaluationResult, tuned: TextPredictions, base: TextPredictions | None, limit: int
) -> list[dict[str, Any]]:
    """By chrF where answers were written and can be compared, else by the headline figure."""
    key = "chrf" if any(item.text is not None and item.reference for item in tuned.items) else found.headline
    scores = metrics()[key].per_item(tuned)
    if scores is None:
        return []
    sign = 1 if metrics()[key].higher_is_better else -1
    before = {item.row_id: item.text for item in base.items} if base else {}
    known = [(sign * score, item) for score, item in zip(scores, tuned.items, strict=True) if math.isfinite(score)]
    return [
        {
            "row_id": item.row_id,
            "prompt": item.prompt,
            "reference": item.reference,
            "tuned_text": item.text,
            "base_text": before.get(item.row_id),
        }
        for _, item in sorted(known, key=lambda pair: pair[0])[:limit]
    ]


def label_examples(base: Predictions | None, tuned: LabelSetPredictions, kind: str) -> list[dict[str, Any]]:
    """`fixed` and `broken` rows against base, else all that are wrong, those with the most wrong labels first."""
    before = {item.row_id: item for item in base.items} if isinstance(base, LabelSetPredictions) else {}
    rows = []
    for item in tuned.items:
        first = before.get(item.row_id)
        wanted = (
            not item.correct
            if kind == "confident"
            else first is not None and item.correct != first.correct and item.correct == (kind == "fixed")
        )
        if not wanted:
            continue
        row = {"row_id": item.row_id, "gold": ", ".join(item.gold), "tuned": ", ".join(item.predicted)}
        if first is not None:
            row["base"] = ", ".join(first.predicted)
        rows.append((len(set(item.gold) ^ set(item.predicted)), row))
    return [row for _, row in sorted(rows, key=lambda pair: -pair[0])]


def cell(found: EvaluationResult, gold: str, predicted: str) -> list[str]:
    """Row ids behind one cell of the confusion matrix."""
    return class_rows.cell(found, gold, predicted)


def texts(run: Run, row_ids: list[str]) -> dict[str, Example]:
    """The examples of some rows of the run's dataset version."""
    version = datasets.get_version(run.dataset_version_id)
    return {e.row_id: e for e in datasets.examples(version, run.task, row_ids)[0]}
