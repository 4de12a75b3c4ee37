"""Find a learning rate: a short training whose rate grows; only its curve is kept."""

from __future__ import annotations

from typing import Any

from core.schemas.jobs import Job
from core.schemas.recipe import Recipe
from core.services import rate_finder
from core.worker.recorder import JobRecorder


def run(job: Job, recorder: JobRecorder) -> dict[str, Any]:
    recorder.phase("Starting the training engine")
    from core.training.rate_finder import find_rate

    assert job.project_id is not None
    spec = rate_finder.spec_of(job.project_id, Recipe.model_validate(job.payload["recipe"]))
    curve = find_rate(spec, recorder)
    return recorder.deliver(lambda: curve.model_dump(mode="json"))
