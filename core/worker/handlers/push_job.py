"""Push: upload an export to the hub. The token stays while the job may have to go on, and goes with its end."""

from __future__ import annotations

from typing import Any

from core.schemas.jobs import Desired, Job
from core.schemas.recorder import Interrupted
from core.services import exports, hub_push, hub_upload
from core.store.job_tokens import read_token, take_token
from core.worker.recorder import JobRecorder


def run(job: Job, recorder: JobRecorder) -> dict[str, Any]:
    try:
        result = _push(job, recorder)
    except Interrupted as stop:
        if stop.wish is Desired.CANCEL:
            take_token(job.id)
        raise  # else the worker ends, and the next one needs the token to go on
    except BaseException:
        take_token(job.id)
        raise
    take_token(job.id)
    return result


def _push(job: Job, recorder: JobRecorder) -> dict[str, Any]:
    def progress(phase: str, done: float, total: float) -> None:
        recorder.phase(phase, done, total)
        recorder.obey()

    export = exports.get(job.payload["export_id"])
    token = hub_push.check_token(read_token(job.id) or "")
    found = hub_push.pieces(export)
    result = hub_upload.push(
        job.payload["repo"],
        token,
        found,
        private=job.payload["private"],
        replace=job.payload["replace"],
        progress=progress,
    )
    return recorder.deliver(lambda: {**result, "export_id": export.id})
