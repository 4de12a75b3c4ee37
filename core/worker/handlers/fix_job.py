"""Fix: apply fixes to a large dataset as one new version."""

from __future__ import annotations

from typing import Any

from core.schemas.jobs import Job
from core.services import fixes
from core.worker.recorder import JobRecorder


def run(job: Job, recorder: JobRecorder) -> dict[str, Any]:
    assert job.project_id is not None
    titles = [fixes.describe(key).title for key, _ in job.payload["steps"]]
    recorder.phase(" · ".join(titles))
    recorder.obey()
    version = fixes.apply_job(job.project_id, job.id, job.payload)
    return {"dataset_version_id": version.id, "rows": version.rows}
