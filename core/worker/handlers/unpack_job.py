"""Unpack: a new project of an archive. Files first, under names that nobody knows yet; then all rows in one transaction."""

from __future__ import annotations

import shutil
from typing import Any

from core.schemas.errors import UserError
from core.schemas.jobs import Desired, Job
from core.schemas.recorder import Interrupted
from core.services import archive, unpacking
from core.store.files import folder
from core.worker.recorder import JobRecorder


def run(job: Job, recorder: JobRecorder) -> dict[str, Any]:
    def say(name: str, done: float, total: float) -> None:
        recorder.obey()
        recorder.phase(name, done, total)

    place = folder("archives") / f".part-unpack-{job.id}"
    shutil.rmtree(place, ignore_errors=True)  # of an attempt that was killed
    place.mkdir()
    over = False
    try:
        made = unpacking.unpack(job.id, archive.arrived(job), place, say, recorder.guard)
        recorder.phase("Writing the project")
        found = recorder.deliver(made.store)
        over = True
        return found
    except UserError:
        over = True
        raise
    except Interrupted as interrupted:
        over = interrupted.wish is Desired.CANCEL
        raise
    finally:
        shutil.rmtree(place, ignore_errors=True)
        if over:
            archive.forget(job)
