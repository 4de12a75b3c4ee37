"""The honest score: every figure again without the rows that repeat, exactly or nearly, what the model was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.data import verdicts
from core.data.in_words import significant
from core.data.leakage import overlaps
from core.data.statistics import MIN_ROWS
from core.schemas.estimates import Estimate
from core.schemas.evaluation import HonestScores, MetricRow
from core.schemas.examples import Example, Split
from core.schemas.predictions import Predictions
from core.store import records
from core.store.tables import Run

from . import preparation
from .preparation import compared_text


@dataclass(frozen=True)
class Repeated:
    """Ids of the rows of a part that stand in training too, word for word (but for case and spacing) or nearly."""

    exact: tuple[str, ...] = ()
    near: tuple[str, ...] = ()


def learned_before(run: Run) -> list[Example]:
    """Training rows of the rounds whose model this one went on from: what they learned, it knows as well."""
    found: list[Example] = []
    seen = {run.id}
    while run.start_run_id and run.start_run_id not in seen:
        start = records.get(Run, run.start_run_id)
        if start is None:
            break
        seen.add(start.id)
        run = start
        found += preparation.parts(preparation.get_plan(run.plan_id), run.task)["train"]
    return found


def repeated(parts: Mapping[str, Sequence[Example]], split: str, earlier: Sequence[Example] = ()) -> Repeated:
    """Rows of `split` that repeat a training row, or one of the rows that were learned `earlier`."""
    texts: dict[str, str] = {}
    where: dict[str, Split] = {}
    names: tuple[Split, ...] = ("train", "validation" if split == "validation" else "test")
    for name in names:
        for example in parts[name]:
            texts[example.row_id], where[example.row_id] = compared_text(example), name
    for place, example in enumerate(earlier):  # under ids of their own: a row may have been in other parts then
        texts[f"earlier-{place}"], where[f"earlier-{place}"] = compared_text(example), "train"
    for found in overlaps(texts, where):
        if (found.source, found.part) == names:
            return Repeated(tuple(p.row_id for p in found.exact), tuple(p.row_id for p in found.near))
    return Repeated()


def without(contenders: Mapping[str, Predictions], found: Repeated) -> dict[str, Predictions]:
    """The same predictions on the rows that repeat nothing; empty where no such row is left."""
    gone = {*found.exact, *found.near}
    kept = [item.row_id for item in contenders["tuned"].items if item.row_id not in gone]
    return {name: p.select(kept) for name, p in contenders.items()} if kept else {}


def describe(
    found: Repeated, split: str, n: int, headline: str, whole: Sequence[MetricRow], rest: Sequence[MetricRow]
) -> HonestScores:
    """The figures without repeated rows, beside those with them, in a sentence that a person can repeat."""
    count = len(found.exact) + len(found.near)
    left = n - count
    part = "validation" if split == "validation" else "test"
    said = f"{count:,} of {n:,} {part} rows repeat a training row ({len(found.exact):,} exactly, {len(found.near):,} nearly), "
    said += "so the model may simply remember their answers."
    before = next((row for row in whole if row.key == headline), None)
    after = next((row for row in rest if row.key == headline), None)
    if before and after:
        said += (
            f" Without them, {verdicts.in_sentence(before.title)} is {_figure(after.values['tuned'], before.format, left)} "
            f"instead of {_figure(before.values['tuned'], before.format, n)}."
        )
    enough = left >= MIN_ROWS
    said += (
        " The verdict rests on the rows that repeat nothing."
        if enough
        else f" Only {left:,} rows are left, too few for a verdict of their own: read the one above with care."
    )
    return HonestScores(
        n=left,
        exact=len(found.exact),
        near=len(found.near),
        row_ids=(*found.exact, *found.near),
        metrics=tuple(rest),
        judged=enough,
        sentence=said,
    )


def _figure(estimate: Estimate, form: str, rows: int) -> str:
    scale, unit = (100, "%") if form == "percent" else (1, "")
    value = f"{significant(estimate.value * scale)}{unit}"
    if estimate.low is None or estimate.high is None:
        return f"{value} ({rows:,} rows)"
    return f"{value} ({significant(estimate.low * scale)} to {significant(estimate.high * scale)}{unit}, {rows:,} rows)"
