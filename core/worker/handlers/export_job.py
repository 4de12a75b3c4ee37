"""Export: write the folder with its model card, load it again in a fresh process, compare, pack it."""

from __future__ import annotations

from typing import Any

from core import exporters
from core.schemas.jobs import Job
from core.services import exports, runs
from core.worker.recorder import JobRecorder


def run(job: Job, recorder: JobRecorder) -> dict[str, Any]:
    recorder.phase("Starting the model engine")
    from core.training.export import export

    training = runs.get(job.payload["run_id"])
    kind = job.payload["kind"]
    given = runs.inputs(training)
    target = exports.target(training, kind, job.id)
    exports.check_room(exporters.get(kind).size(exports.exportable(training)))
    try:
        files = exports.files(training, kind)
        proof = export(f"{given.folder}/model", kind, target, given.plan, exports.questions(given), files, recorder)
        recorder.phase("Packing it as one file")
        exports.packed(target).unlink(missing_ok=True)  # of an attempt that was killed
        exports.archive(target, recorder.obey)

        def store() -> dict[str, Any]:
            stored = exports.store(training, job.id, kind, target, proof)
            return {"export_id": stored.id, "folder": stored.folder}

        return recorder.deliver(store)
    except BaseException:
        exports.discard(job.id)
        raise
