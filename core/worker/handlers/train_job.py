"""Train: resume from the newest whole checkpoint if there is one, and keep what the best checkpoint became."""

from __future__ import annotations

from typing import Any

from core.schemas.jobs import Job
from core.schemas.training import TrainingResult
from core.services import runs
from core.store.files import run_folder
from core.worker.recorder import JobRecorder


def run(job: Job, recorder: JobRecorder) -> dict[str, Any]:
    result = train_run(job, recorder)
    run_id = str(job.payload["run_id"])

    def store() -> dict[str, Any]:
        runs.store_summary(run_id, result.model_dump(mode="json"))
        return {"run_id": run_id, "ended": result.ended}

    return recorder.deliver(store)


def train_run(job: Job, recorder: JobRecorder) -> TrainingResult:
    """Train the run of the job's payload to its finished model; it goes on from a checkpoint if there is one."""
    recorder.phase("Starting the training engine")
    from core.training.checkpoints import newest_whole_checkpoint
    from core.training.train import train

    training = runs.get(job.payload["run_id"])
    found = newest_whole_checkpoint(run_folder(training.id))
    recorder.rewind(found[1] if found else -1)
    if found:
        recorder.event("resumed", found[1], f"Continued from the checkpoint of step {found[1]}")
    result = train(runs.training_spec(training, str(found[0]) if found else None), recorder)
    recorder.guard()  # the last points of the curves are on record before the run is
    return result
