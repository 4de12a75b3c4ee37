"""A round that goes on from another one's weights begins where that one ended: with real training steps."""

from __future__ import annotations

from typing import Any

import pytest

from core.schemas.jobs import JobKind
from core.schemas.recipe import Recipe
from core.services import evaluations, next_round, projects, runs
from core.store import jobs, records
from core.store.tables import Evaluation, Project, Run
from core.worker.handlers import evaluate_job
from core.worker.handlers.train_job import train_run
from core.worker.recorder import JobRecorder

pytestmark = pytest.mark.usefixtures("one_thread")
RECIPE = Recipe(
    method="lora", learning_rate=2e-2, lora_rank=8, lora_alpha=16, batch_size=8, epochs=3, evaluations_per_epoch=1,
    early_stopping=0, warmup=0,
)  # fmt: skip


def claimed(kind: JobKind, run_id: str | None = None) -> tuple[Any, JobRecorder]:
    found = jobs.claim([kind], "me")
    assert found is not None
    return found[0], JobRecorder(found[0].id, found[1], run_id, lost=lambda: None)


def carried_out(run: Run) -> Run:
    """What the worker's child does with the run."""
    job, recorder = claimed(JobKind.TRAIN, run.id)
    result = train_run(job, recorder)
    recorder.flush()
    runs.store_summary(run.id, result.model_dump(mode="json"))
    return runs.get(run.id)


def losses(run: Run) -> list[float]:
    points = sorted(runs.points(run.id, [("loss", "validation")]), key=lambda p: p.step)
    return [p.value for p in points if p.value is not None]


def test_a_classifier_goes_on_from_an_adapter_and_is_still_held_against_the_untouched_model(
    small_project: Project,
) -> None:
    first = carried_out(next_round.start(small_project, RECIPE))
    project = projects.get(small_project.id)
    assert next_round.can_go_on(project, first)
    slower = RECIPE.model_copy(update={"epochs": 1.0, "learning_rate": 1e-3, "method": "full"})
    next_round.prepare(project, first, slower, begin="round")
    second = carried_out(next_round.start(projects.get(project.id), slower))
    assert second.start_run_id == first.id == second.parent_id
    assert losses(second)[0] == pytest.approx(min(losses(first)), abs=1e-3), (
        "step 0 is the model of the first round, head and all"
    )
    assert losses(second)[0] < losses(first)[0] - 0.1, "which had learned something"
    evaluations.submit(second, "validation")
    job, recorder = claimed(JobKind.EVALUATE)
    evaluate_job.run(job, recorder)
    [kept] = records.find(Evaluation, run_id=second.id)
    result = evaluations.result(kept)
    assert "base" in result.contents and result.base_note == "", "the untouched model says what it thinks of the labels"
