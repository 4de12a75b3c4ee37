"""Pack: a project as one archive, whole or not at all."""

from __future__ import annotations

from typing import Any

from core.schemas.jobs import Job
from core.services import archive
from core.worker.recorder import JobRecorder


def run(job: Job, recorder: JobRecorder) -> dict[str, Any]:
    assert job.project_id is not None

    def say(name: str, done: float, total: float) -> None:
        recorder.obey()
        recorder.phase(name, done, total)

    wanted = {"with_models": bool(job.payload.get("models")), "with_base": bool(job.payload.get("base"))}
    made = archive.pack(job.project_id, archive.archive_path(job.id), **wanted, say=say, guard=recorder.guard)
    done = recorder.deliver(lambda: made)
    archive.keep_newest(job.project_id, job.id)
    return done
