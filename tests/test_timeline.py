"""Moments and axes of a run: what stands on the axis, where, and which evaluation is the best so far."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import stored
from databases import migrated

from core.schemas.curves import in_a_sentence
from core.schemas.recipe import Recipe
from core.services import timeline
from core.store import curves, records
from core.store.engine import engine, write
from core.store.tables import Checkpoint, Run, RunEvent


@pytest.fixture
def run(storage: Path) -> Iterator[Run]:
    migrated()
    made = stored.run()
    yield records.change(Run, made.id, {"recipe": Recipe().model_dump(mode="json")}) or records.get(Run, made.id)
    engine().dispose()


def add(run: Run, name: str, split: str, values: dict[int, float | None]) -> None:
    with write() as session:
        curves.append(session, [curves.Point(run.id, name, split, s, s / 10, v, 0.0) for s, v in values.items()])


def happened(run: Run, *rows: Any) -> None:
    with write() as session:
        session.add_all(rows)


def event(run: Run, kind: str, step: int, at: float = 0.0) -> RunEvent:
    return RunEvent(run_id=run.id, kind=kind, step=step, title=kind, text="", data={}, at=at)


def test_tokens_and_minutes_lie_between_the_recorded_steps(run: Run) -> None:
    add(run, "tokens", "batch", {10: 1000.0, 20: 3000.0})
    add(run, "seconds", "batch", {10: 60.0, 20: 120.0})
    tokens, minutes = timeline.positions(run.id, "tokens"), timeline.positions(run.id, "time")
    assert tokens and minutes
    assert tokens([0, 5, 10, 15, 20]) == [0, 500, 1000, 2000, 3000]
    assert minutes([0, 15]) == [0, 1.5]


def test_a_run_that_recorded_no_tokens_has_no_such_axis(run: Run) -> None:
    add(run, "loss", "batch", {10: 1.0})
    assert timeline.positions(run.id, "tokens") is None
    epochs = timeline.positions(run.id, "epoch")
    assert epochs and epochs([5]) == [0.5]
    steps = timeline.positions(run.id, "step")
    assert steps and steps([5]) == [5]


def test_moments_are_in_order_and_those_that_are_no_marks_are_left_out(run: Run) -> None:
    happened(
        run,
        event(run, "resumed", 20, 3),
        event(run, "paused", 20, 2),
        event(run, "memory", -1, 1),
        event(run, "sample", 5),
    )
    found = timeline.moments(run)
    assert [(m.step, m.label) for m in found] == [(0, "smaller batches"), (20, "paused"), (20, "continued")]


def test_a_checkpoint_without_its_event_is_still_marked_and_one_with_it_once(run: Run) -> None:
    happened(
        run, event(run, "checkpoint", 10),
        *(Checkpoint(run_id=run.id, step=s, folder=f"checkpoints/checkpoint-{s}", at=0.0) for s in (10, 20)),
    )  # fmt: skip
    assert [(m.step, m.small) for m in timeline.moments(run)] == [(10, True), (20, True)]


def test_the_best_so_far_is_of_the_recipes_metric_and_never_the_base_model(run: Run) -> None:
    assert timeline.best(run) is None
    add(run, "loss", "validation", {0: 0.1, 10: 2.0, 20: 1.5, 30: None, 40: 1.5})
    assert timeline.best(run) == (20, 1.5, "eval_loss")
    run.recipe = Recipe(best_metric="accuracy").model_dump(mode="json")
    add(run, "accuracy", "validation", {10: 0.5, 20: 0.9, 30: 0.8})
    assert timeline.best(run) == (20, 0.9, "accuracy")


def test_of_a_finished_run_it_is_the_one_that_was_kept(run: Run) -> None:
    add(run, "loss", "validation", {10: 2.0})
    run.best = {"step": 30, "metric": "eval_loss", "value": 1.0}
    assert timeline.best(run) == (30, 1.0, "eval_loss")


def test_a_pin_is_kept_when_the_checkpoint_is_written_again_and_is_gone_with_it(run: Run) -> None:
    from core.services import runs

    happened(run, Checkpoint(run_id=run.id, step=10, folder="checkpoints/checkpoint-10", at=0.0))
    runs.pin(run.id, 10, True)
    with write() as session:
        session.merge(Checkpoint(run_id=run.id, step=10, folder="checkpoints/checkpoint-10", metric=0.5, at=1.0))
    assert [(c.step, c.metric, c.pinned) for c in runs.checkpoints(run.id)] == [(10, 0.5, True)]
    runs.pin(run.id, 10, False)
    runs.pin(run.id, 99, True)
    assert [(c.step, c.pinned) for c in runs.checkpoints(run.id)] == [(10, False)]


def test_every_best_metric_has_a_name_for_a_sentence() -> None:
    names = {metric: in_a_sentence(metric) for metric in get_args(Recipe.model_fields["best_metric"].annotation)}
    assert (names["eval_loss"], names["macro_f1"], names["mae"]) == ("loss", "macro-F1", "mean error")
    assert not any("_" in name for name in names.values())
