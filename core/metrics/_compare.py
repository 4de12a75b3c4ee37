"""Base against tuned on the same rows, with one of four verdicts."""

from __future__ import annotations

from collections.abc import Sequence

from core.data.statistics import MIN_ROWS, verdict
from core.schemas.errors import UserError
from core.schemas.estimates import Comparison, Verdict
from core.schemas.label_sets import LabelSetPrediction
from core.schemas.number_predictions import NumberPrediction
from core.schemas.predictions import ClassPrediction, Predictions, TextPrediction

from ._base import Metric

ALPHA = 0.05


def compare(metric: Metric, base: Predictions, tuned: Predictions, min_n: int = MIN_ROWS) -> Comparison | None:
    """Compare two sets of predictions, paired by row id, over the rows for which both have what the metric needs.

    Exact McNemar for yes/no outcomes of independent rows, paired bootstrap otherwise (10,000 draws, by group where rows
    come in groups). Better or worse needs both an interval that leaves out 0 and, where there is a test, p < .05.
    None where no row has what the metric needs. Raises UserError where the two share no rows, and ValueError where the
    same row has two different right answers.
    """
    rows = _shared_rows(base.items, tuned.items)
    rows = [row for row in rows if metric.usable(row[0]) and metric.usable(row[1])]
    if not rows:
        return None
    row_ids = [item.row_id for item, _ in rows]
    first, second = base.select(row_ids), tuned.select(row_ids)
    before, after, change = metric.measure(first), metric.measure(second), metric.change(first, second)
    if before is None or after is None or change is None:
        return None
    judged = change.improvement or change.estimate
    higher_is_better = True if change.improvement else metric.higher_is_better
    said = verdict(judged, higher_is_better, min_n=min_n)
    if said in (Verdict.BETTER, Verdict.WORSE) and change.p is not None and change.p >= ALPHA:
        said = Verdict.NO_EVIDENCE
    return Comparison(
        metric=metric.key,
        base=before,
        tuned=after,
        change=change.estimate,
        verdict=said,
        p=change.p,
        test=change.test,
    )


Item = ClassPrediction | TextPrediction | LabelSetPrediction | NumberPrediction


def _shared_rows(base: Sequence[Item], tuned: Sequence[Item]) -> list[tuple[Item, Item]]:
    by_id = {item.row_id: item for item in base}
    pairs = [(by_id[item.row_id], item) for item in tuned if item.row_id in by_id]
    if not pairs:
        raise UserError(
            "These two results cannot be compared.",
            "They were measured on different rows, so a difference could come from the rows alone.",
            "Evaluate both models on the same test rows.",
        )
    for first, second in pairs:
        if answer(first) != answer(second):
            raise ValueError(f"row {first.row_id!r} has two right answers: {answer(first)!r} and {answer(second)!r}")
    return pairs


def answer(item: Item) -> object:
    return item.reference if isinstance(item, TextPrediction) else item.gold
