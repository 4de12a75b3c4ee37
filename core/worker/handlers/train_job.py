"""Train: resume from the newest whole checkpoint if there is one, and keep what the best checkpoint became."""

from __future__ import annotations

from typing import Any

from core.schemas.jobs import Job
from core.services import runs
from core.store import curves, jobs
from core.store.engine import write
from core.worker.recorder import JobRecorder


def run(job: Job, recorder: JobRecorder) -> dict[str, Any]:
    return train_run(job, recorder)


def train_run(job: Job, recorder: JobRecorder) -> dict[str, Any]:
    """Train the run of the job's payload to its finished model."""
    recorder.phase("Starting the training engine")
    from core.training.train import newest_whole_checkpoint, train

    training = runs.get(job.payload["run_id"])
    found = newest_whole_checkpoint(runs.run_folder(training.id))
    with write() as session:
        jobs.check(session, job.id, recorder.fence)
        # What lies beyond the checkpoint will be computed and written again.
        curves.truncate(session, training.id, found[1] if found else -1)
    if found:
        recorder.event("resumed", found[1], f"Continued from the checkpoint of step {found[1]}")
    result = train(runs.training_spec(training, str(found[0]) if found else None), recorder)
    recorder.guard()
    summary = result.model_dump(mode="json")
    runs.store_summary(training.id, summary)
    return {"run_id": training.id, "ended": result.ended}
