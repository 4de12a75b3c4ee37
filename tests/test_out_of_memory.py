"""Memory runs out within a step of a real training: named, tried again with smaller batches of the same sum, and told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pytest
import tiny_training as tiny
import torch

from core.schemas.jobs import JobKind, JobState
from core.schemas.plan import PreparationPlan
from core.schemas.recipe import Recipe
from core.services import datasets, preparation, projects, runs
from core.store import curves, jobs
from core.store.tables import Project, Run
from core.training.trainers import ClassifierTrainer, LanguageTrainer
from core.worker import child
from core.worker.recorder import JobRecorder

pytestmark = pytest.mark.usefixtures("one_thread")
RECIPE = Recipe(
    method="full", learning_rate=3e-3, batch_size=8, epochs=1, evaluations_per_epoch=2, early_stopping=0, warmup=0
)
FITS = 4  # rows


def by_torch() -> None:
    torch.empty(1 << 50, dtype=torch.uint8)


def by_python() -> None:
    bytearray(1 << 60)


def done(run: Run) -> Run:
    """What the worker's child does with the run, to its end."""
    claimed = jobs.claim([JobKind.TRAIN], "me")
    assert claimed is not None
    job, fence = claimed
    recorder = JobRecorder(job.id, fence, run.id)
    recorder.start()
    child.run(job, fence, recorder)
    ended = jobs.get(job.id)
    assert ended is not None and ended.state is JobState.DONE, ended
    return runs.get(run.id)


@pytest.fixture
def texts(small_project: Project) -> Project:
    """The same model, to learn texts."""
    made = projects.create("texts", "completion").id
    rows = tiny.texts(1, 80)
    columns = {"row_id": [e.row_id for e in rows], "text": [f"{e.text} {n}" for n, e in enumerate(rows)]}
    datasets.add_version(made, pd.DataFrame(columns), roles={"text": "text"}, title="made up", origin={})
    projects.update(made, base_model_key=small_project.base_model_key)
    preparation.save(projects.get(made), PreparationPlan(max_length=64, packing=False))
    return projects.get(made)


@pytest.fixture(params=["classifier", "language model"])
def kind(request: pytest.FixtureRequest, small_project: Project) -> Iterator[tuple[Project, Any, Callable[[], None]]]:
    """A project, the trainer of its runs, and the way in which memory runs out there."""
    if request.param == "classifier":
        yield small_project, ClassifierTrainer, by_torch
    else:
        yield request.getfixturevalue("texts"), LanguageTrainer, by_python


def test_a_run_out_of_memory_goes_on_from_its_checkpoint_with_the_same_effective_batch_and_says_so(
    kind: tuple[Project, Any, Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    project, trainer, run_out = kind
    undisturbed = done(runs.start(project.id, RECIPE))
    seen: list[tuple[int, int]] = []
    plain = trainer.training_step

    def step(self: Any, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> torch.Tensor:
        rows = len(inputs["input_ids"])
        if self.state.global_step >= 5 and rows > FITS:
            run_out()
        seen.append((self.state.global_step, rows))
        return plain(self, model, inputs, *args, **kwargs)  # type: ignore[no-any-return]

    monkeypatch.setattr(trainer, "training_step", step)
    run = done(runs.start(project.id, RECIPE))
    events = curves.events(run.id)
    (told,) = [e for e in events if e.kind == "memory"]
    assert told.title.startswith("Memory ran out")
    assert "Batch size 4 with gradient accumulation 2 instead of 8 and 1" in told.text
    (resumed,) = [e for e in events if e.kind == "resumed"]
    assert resumed.step == 4, "it began anew"
    of_a_step: dict[int, int] = {}
    for at, rows in seen[5:]:
        of_a_step[at] = of_a_step.get(at, 0) + rows
    assert min(of_a_step) == 4 and {n for at, n in of_a_step.items() if at < max(of_a_step)} == {8}

    def losses(of: Run) -> dict[int, float | None]:
        return {p.step: p.value for p in curves.points(of.id, [("loss", "validation")])}

    assert losses(run) == pytest.approx(losses(undisturbed), rel=5e-3)
    assert run.summary is not None and undisturbed.summary is not None
    assert run.summary["steps"] == undisturbed.summary["steps"]
