"""Sweep: watch the run at work, stop it where it is poor, begin the next one. It trains nothing itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from core.schemas.jobs import Desired, Job
from core.schemas.recorder import Interrupted
from core.services import studies, sweeps
from core.store import jobs
from core.store.engine import write
from core.worker.recorder import JobRecorder

POLL_SECONDS = 1.0


def run(job: Job, recorder: JobRecorder, pause: Callable[[float], None] = time.sleep) -> dict[str, Any]:
    """Until the budget is spent or somebody stops it; both keep what was done."""
    study_id, done = str(job.payload["study_id"]), -1
    while True:
        if recorder.shutting_down() or recorder.wish() is Desired.PAUSE:
            raise Interrupted(Desired.PAUSE)
        if recorder.wish() is not Desired.RUN:
            study = studies.get(study_id)
            if study is not None:
                studies.stop_open(study)
                studies.clear(study)
            return {"study_id": study_id, "ended": "Stopped by you"}
        step = sweeps.advance(study_id)
        recorder.phase(step.words, step.done, step.total)
        if step.ended:
            if (study := studies.get(study_id)) is not None:
                recorder.phase("Removing checkpoints that nobody needs")
                studies.clear(study)
            return {"study_id": study_id, "ended": step.words}
        if step.done != done:
            done = step.done
            with write() as session:  # a sweep that got further may be tried again as often as a new one
                jobs.progressed(session, job.id, recorder.fence)
        pause(POLL_SECONDS)
