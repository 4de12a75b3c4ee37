"""The dry run: a few real steps on the longest rows correct the estimate of memory and time, and leave nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_training as tiny

from core.data.encoding import Codec
from core.schemas.recipe import Recipe
from core.services import dry_run, projects
from core.store import jobs
from core.store.tables import Project
from core.training.dry_run import STEPS, longest_rows, measure
from core.worker.handlers import measure_job
from core.worker.recorder import JobRecorder

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("kind", ["classifier, full", "completion, full, packed", "chat, LoRA"])
def test_three_steps_are_measured_for_every_kind_of_training(kind: str, small_model: Path, tmp_path: Path) -> None:
    spec = tiny.spec_of(kind, tmp_path / "run", small_model, rows=60)
    diary = tiny.Diary()
    found = measure(spec, diary)
    assert found.tokens_per_second > 0
    assert found.evaluated_tokens_per_second > 0
    assert found.peak_memory > 100 * 2**20, "the libraries alone need more"
    assert diary.phases.count("Trying the first steps") == STEPS
    assert not diary.points and not diary.checkpoints
    assert not (tmp_path / "run").exists()


def test_the_longest_rows_are_the_ones_that_are_tried(small_model: Path, tmp_path: Path) -> None:
    spec = tiny.spec_of("classifier, full", tmp_path, small_model, rows=60, batch_size=4)
    codec = Codec.from_folder(spec.base_folder, spec.family, spec.plan)
    chosen = longest_rows(spec, codec)
    assert len(chosen.train) == STEPS * 4
    assert len(chosen.validation) == 8
    shortest = min(codec.lengths(chosen.train))
    rest = [e for e in spec.train if e not in chosen.train]
    assert shortest >= max(codec.lengths(rest))


def test_what_was_measured_replaces_the_guess_until_something_that_matters_changes(small_project: Project) -> None:
    recipe = Recipe(method="full", batch_size=8, epochs=2)
    guess = dry_run.estimate(small_project, recipe)
    assert not guess.measured
    job_id = dry_run.submit(small_project, recipe)
    found = jobs.claim([jobs.get(job_id).kind], "me")  # type: ignore[union-attr]
    assert found is not None
    measure_job.run(found[0], JobRecorder(job_id, found[1], None, lost=lambda: None))

    project = projects.get(small_project.id)
    measured = dry_run.of(project, recipe)
    cost = dry_run.estimate(project, recipe)
    assert measured is not None
    assert cost.measured
    assert cost.fit.needed == measured.peak_memory
    assert dry_run.of(project, recipe.model_copy(update={"learning_rate": 1e-5, "epochs": 9.0})) == measured
    assert dry_run.of(project, recipe.model_copy(update={"batch_size": 16})) is None
    assert dry_run.of(project, recipe.model_copy(update={"method": "lora"})) is None
