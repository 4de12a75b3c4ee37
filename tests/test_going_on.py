"""How a run goes on: with smaller batches where memory ran out, and for more epochs where it had ended."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from core.schemas.errors import UserError
from core.schemas.jobs import JobKind
from core.schemas.recipe import Recipe
from core.services import runs
from core.store import curves, jobs
from core.store.tables import Project, Run
from core.training.trainers import ClassifierTrainer
from core.worker.handlers.train_job import train_run
from core.worker.recorder import JobRecorder

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def project(small_project: Project) -> str:
    return small_project.id


def memory_for(rows: int, monkeypatch: pytest.MonkeyPatch, from_step: int = 0) -> None:
    """From this step on a batch of more rows does not fit, as on a card whose memory is full."""
    whole = ClassifierTrainer.training_step

    def step(self: ClassifierTrainer, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> torch.Tensor:
        if self.state.global_step >= from_step and len(inputs["input_ids"]) > rows:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return whole(self, model, inputs, *args, **kwargs)

    monkeypatch.setattr(ClassifierTrainer, "training_step", step)


RECIPE = Recipe(
    method="full", learning_rate=3e-3, batch_size=8, epochs=2, evaluations_per_epoch=2, early_stopping=0, warmup=0
)


def trained(project_id: str) -> tuple[str, Any]:
    return carried_out(runs.start(project_id, RECIPE))


def carried_out(run: Run) -> tuple[str, Any]:
    """What the worker's child does with the run."""
    found = jobs.claim([JobKind.TRAIN], "me")
    assert found is not None
    recorder = JobRecorder(found[0].id, found[1], run.id, lost=lambda: None)
    result = train_run(found[0], recorder)
    recorder.flush()
    runs.store_summary(run.id, result.model_dump(mode="json"))
    return run.id, result


def losses(run_id: str) -> dict[int, float | None]:
    return {p.step: p.value for p in curves.points(run_id, [("loss", "validation")])}


def test_a_batch_that_does_not_fit_is_halved_and_the_run_ends_as_if_it_had_fitted(
    project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = trained(project)
    memory_for(2, monkeypatch, from_step=4)
    run_id, result = trained(project)
    said = [e for e in runs.events(run_id) if e.kind == "memory"]
    assert [e.text.split(" instead")[0] for e in said] == [
        "Batch size 4 with gradient accumulation 2",
        "Batch size 2 with gradient accumulation 4",
    ]
    assert [e.kind for e in runs.events(run_id)].count("resumed") == 2, (
        "it went on from a checkpoint, not from the start"
    )
    assert result.ended == "done"
    assert losses(run_id) == pytest.approx(losses(whole), rel=1e-3), "the effective batch is the same, so is the curve"


def test_when_not_even_one_row_fits_the_person_is_told_what_to_change(
    project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory_for(0, monkeypatch)
    with pytest.raises(UserError, match="ran out of memory") as caught:
        trained(project)
    assert "batch size of 1" in caught.value.cause


def test_a_finished_run_is_trained_on_from_its_newest_checkpoint_with_its_curve_whole(project: str) -> None:
    first, before = trained(project)
    longer, after = carried_out(runs.extend(runs.get(first), 1))
    assert (before.steps, after.steps) == (14, 21)
    assert after.epochs == 3
    assert runs.get(longer).parent_id == first
    old = losses(first)
    assert {step: value for step, value in losses(longer).items() if step in old} == old
    assert max(losses(longer)) == 21
    batch = [p.step for p in curves.points(longer, [("loss", "batch")])]
    assert batch == sorted(set(batch)) == list(range(1, 22)), "no step is missing or done twice"
    assert runs.get(first).summary == before.model_dump(mode="json"), "the first run stays as it was"
    assert losses(longer)[21] < losses(first)[14]


def test_a_run_that_stopped_early_is_trained_on_and_not_ended_again_at_once(project: str) -> None:
    still = RECIPE.model_copy(update={"learning_rate": 1e-9, "best_metric": "accuracy", "early_stopping": 1})
    first, before = carried_out(runs.start(project, still))
    _, after = carried_out(runs.extend(runs.get(first), 1))
    assert before.ended == after.ended == "early"
    assert after.steps > before.steps


def test_a_run_that_left_no_model_cannot_be_trained_on(project: str) -> None:
    with pytest.raises(UserError, match="not finished"):
        runs.extend(runs.start(project, RECIPE), 1)
