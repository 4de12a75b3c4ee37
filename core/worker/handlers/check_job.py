"""Check: the health report of a dataset version, one phase a check; it can be cancelled between two checks."""

from __future__ import annotations

from typing import Any

from core.schemas.jobs import Job
from core.services import datasets, health
from core.worker.recorder import JobRecorder


def run(job: Job, recorder: JobRecorder) -> dict[str, Any]:
    def progress(title: str, done: int, total: int) -> None:
        recorder.obey()
        recorder.phase(title, done, total)

    version = datasets.get_version(job.payload["version_id"])
    report = health.check(version, progress)
    recorder.guard()
    return {"version_id": version.id, "findings": len(report.findings), "seconds": report.seconds}
