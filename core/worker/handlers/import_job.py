"""Import: uploaded files into a new dataset version with its health report, or a model from the hub."""

from __future__ import annotations

from typing import Any

from core.data.health import steps
from core.schemas.health import HealthReport
from core.schemas.jobs import Job
from core.services import datasets, fetching
from core.worker.recorder import JobRecorder


def run(job: Job, recorder: JobRecorder) -> dict[str, Any]:
    if job.payload.get("what") == "model":
        recorder.phase(f"Fetching {job.payload['name']}")
        facts = fetching.fetch(job.payload["name"], job.payload["revision"], fetching.take_token(job.id))
        return {"base_model_key": facts.key}
    assert job.project_id is not None
    recorder.phase("Reading the file")
    version = datasets.import_files(job.project_id, job.payload)
    check_health(version.id, job.payload["task"], recorder)
    return {"dataset_version_id": version.id, "rows": version.rows}


def check_health(version_id: str, task: str, recorder: JobRecorder) -> None:
    """Write the health report of a version, naming each check while it runs."""
    version = datasets.get_version(version_id)
    examples, empty = datasets.examples(version, task)
    health = None
    for health in steps(examples, task, dict.fromkeys(empty, "empty")):
        if isinstance(health, str):
            recorder.phase(f"Checking: {health}")
    assert isinstance(health, HealthReport)
    datasets.store_health(version_id, health.model_dump(mode="json"))
