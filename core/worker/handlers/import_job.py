"""Import: files into a new dataset version (its health report is a job of its own), or data or a model from the hub."""

from __future__ import annotations

from typing import Any

from core.schemas.jobs import Job
from core.services import datasets, fetching, health, hub_data
from core.store import job_tokens
from core.worker.recorder import JobRecorder


def run(job: Job, recorder: JobRecorder) -> dict[str, Any]:
    def progress(name: str, done: float, total: float) -> None:
        recorder.obey()
        recorder.phase(name, done, total)

    what = job.payload.get("what")
    if what == "model":
        recorder.phase(f"Fetching {job.payload['name']}")
        facts = fetching.fetch(job.payload["name"], job.payload["revision"], job_tokens.take_token(job.id))
        return {"base_model_key": facts.key}
    if what in ("dataset_list", "dataset_files"):
        return hub_data.run(job.id, job.payload, progress)
    assert job.project_id is not None
    version = datasets.import_files(job.project_id, job.payload, progress, recorder.guard)
    check = health.submit(job.project_id, version.id)
    return {"dataset_version_id": version.id, "rows": version.rows, "check_job_id": check}
