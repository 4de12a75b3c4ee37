"""Test set: read a file of rows for a fresh test set, and hold them against everything that was learned or seen."""

from __future__ import annotations

from typing import Any

from core.schemas.jobs import Job
from core.services import fresh_test, projects
from core.worker.recorder import JobRecorder


def run(job: Job, recorder: JobRecorder) -> dict[str, Any]:
    def progress(name: str, done: float, total: float) -> None:
        recorder.obey()
        recorder.phase(name, done, total)

    assert job.project_id is not None
    found = fresh_test.look(projects.get(job.project_id), job.payload, progress, recorder.guard)
    return found.model_dump(mode="json")
