"""Train: resume from the newest whole checkpoint if there is one, and keep what the best checkpoint became."""

from __future__ import annotations

from typing import Any

from core.data.make_fit import smaller_batch
from core.schemas.errors import UserError
from core.schemas.jobs import Job
from core.schemas.training import TrainingResult, TrainingSpec
from core.services import runs, starting, studies
from core.store.files import run_folder
from core.store.tables import Run
from core.worker.recorder import JobRecorder

MEMORY = "memory"  # the kind of the event that says that a run went on with smaller batches


def run(job: Job, recorder: JobRecorder) -> dict[str, Any]:
    result = train_run(job, recorder)
    run_id = str(job.payload["run_id"])

    def store() -> dict[str, Any]:
        runs.store_summary(run_id, result.model_dump(mode="json"))
        return {"run_id": run_id, "ended": result.ended}

    delivered = recorder.deliver(store)
    studies.clear_of(run_id)
    return delivered


def train_run(job: Job, recorder: JobRecorder) -> TrainingResult:
    """Train the run of the job's payload to its finished model; it goes on from a checkpoint if there is one.

    Where memory runs out it goes on from there with half the batch size and twice the accumulation (the result is the
    same), as often as needed, and says so.
    """
    recorder.phase("Starting the training engine")
    if threads := job.payload.get("threads"):  # trained again: a sum over another number of them is rounded otherwise
        from core.training.device import compute_with

        compute_with(int(threads))
    _begin(runs.get(str(job.payload["run_id"])), recorder)
    while True:
        result = _attempt(job, recorder)
        if result is not None:
            recorder.guard()  # the last points of the curves are on record before the run is
            return result
        _release()


def _begin(training: Run, recorder: JobRecorder) -> None:
    """Make the model that the run begins with, where that is another run's."""
    source = starting.source_of(training)
    if source is not None:
        from core.training.starting import make

        make(source, starting.folder_of(training), recorder)


def _attempt(job: Job, recorder: JobRecorder) -> TrainingResult | None:
    """None where memory ran out and a smaller batch is left to try."""
    from core.training.checkpoints import copy_checkpoints, newest_whole_checkpoint
    from core.training.train import train

    run_id = str(job.payload["run_id"])
    training = runs.get(run_id)
    found = newest_whole_checkpoint(run_folder(run_id))
    if found is None and job.payload.get("extends"):
        copy_checkpoints(run_folder(str(job.payload["extends"])), run_folder(run_id), recorder)
        found = newest_whole_checkpoint(run_folder(run_id))
    recorder.rewind(found[1] if found else -1)
    if found:
        recorder.event("resumed", found[1], f"Continued from the checkpoint of step {found[1]}")
    spec = runs.training_spec(training, str(found[0]) if found else None)
    for _ in [event for event in runs.events(run_id) if event.kind == MEMORY]:
        spec = _smaller(spec)
    try:
        return train(spec, recorder)
    except UserError as error:
        least = runs.FEWEST_RATED if spec.objective == "thumbs" else 1
        if error.action != "smaller_batch" or spec.recipe.batch_size <= least:
            raise
        recipe = _smaller(spec).recipe
        recorder.event(
            MEMORY,
            found[1] if found else -1,  # it must outlive the rewind to this checkpoint
            "Memory ran out: it goes on with smaller batches",
            f"Batch size {recipe.batch_size} with gradient accumulation {recipe.accumulation} instead of "
            f"{spec.recipe.batch_size} and {spec.recipe.accumulation}: the same result, a little slower.",
        )
        recorder.flush()
        return None


def _smaller(spec: TrainingSpec) -> TrainingSpec:
    return spec.model_copy(update={"recipe": smaller_batch(spec.recipe)})


def _release() -> None:
    from core.training.device import release_memory

    release_memory()
