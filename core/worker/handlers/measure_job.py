"""Measure: a few steps on the longest rows, for the estimate of memory and time."""

from __future__ import annotations

from typing import Any

from core.schemas.jobs import Job
from core.schemas.recipe import Recipe
from core.services import dry_run
from core.worker.recorder import JobRecorder


def run(job: Job, recorder: JobRecorder) -> dict[str, Any]:
    recorder.phase("Starting the training engine")
    from core.training.dry_run import measure

    assert job.project_id is not None
    project_id = job.project_id
    spec, key = dry_run.spec_of(project_id, Recipe.model_validate(job.payload["recipe"]))
    measured = measure(spec, recorder)
    recorder.obey()

    def store() -> dict[str, Any]:
        dry_run.store(project_id, key, measured)
        return measured.model_dump()

    return recorder.deliver(store)
