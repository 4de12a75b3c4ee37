"""The ready-made samples: one press makes a project with everything chosen and puts its training into the queue."""

from __future__ import annotations

from pathlib import Path

import pytest
from databases import migrated

from core.schemas.jobs import JobKind, JobState
from core.services import datasets, preparation, projects, runs, samples, status


@pytest.fixture(autouse=True)
def _database(storage: Path) -> None:
    migrated()


@pytest.mark.parametrize("key", [sample.key for sample in samples.SAMPLES])
def test_one_press_starts_a_training_with_nothing_left_to_choose(key: str) -> None:
    project, run = samples.start(key)
    assert runs.missing(projects.get(project.id)) == []
    waiting = [job for job in status.active_jobs(project.id) if job.kind is JobKind.TRAIN]
    assert [job.payload["run_id"] for job in waiting] == [run.id]
    assert runs.state(run) is JobState.QUEUED


def test_the_misspelt_categories_of_the_support_sample_are_merged_in_a_version_of_its_own() -> None:
    project, run = samples.start("support")
    newest, first = datasets.versions(project.id)
    assert project.dataset_version_id == run.dataset_version_id == newest.id
    assert newest.parent_id == first.id
    checks = [job.payload["version_id"] for job in status.active_jobs(project.id) if job.kind is JobKind.CHECK]
    assert checks == [newest.id], "only what is trained on is checked beside the training"
    labels = preparation.labels(preparation.get_plan(run.plan_id), "classification")
    assert labels == ("Account", "Billing", "Delivery", "Product", "Returns", "Website")
