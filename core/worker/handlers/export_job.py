"""Export: write the folder with its model card, load it again in a fresh process, compare."""

from __future__ import annotations

from typing import Any

from core.schemas.jobs import Job
from core.services import exports, runs
from core.worker.recorder import JobRecorder


def run(job: Job, recorder: JobRecorder) -> dict[str, Any]:
    recorder.phase("Starting the model engine")
    from core.training.export import export

    training = runs.get(job.payload["run_id"])
    kind = job.payload["kind"]
    given = runs.inputs(training)
    export_id, target = exports.new_target(training, kind)
    files = exports.files(training)
    proof = export(f"{given.folder}/model", kind, target, given.plan, exports.questions(given), files, recorder)
    recorder.phase("Packing it as one file")
    exports.archive(target, recorder.obey)

    def store() -> dict[str, Any]:
        stored = exports.store(training, export_id, kind, target, proof)
        return {"export_id": stored.id, "folder": stored.folder}

    return recorder.deliver(store)
