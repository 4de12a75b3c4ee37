"""The process of one job: `python -m core.worker.child JOB_ID FENCE PARENT`. Its memory and its crashes end with it."""

from __future__ import annotations

import importlib
import logging
import os
import shutil
import signal
import sys
import traceback
from typing import Any

from core.schemas.errors import DiskFull, UserError, is_disk_full
from core.schemas.jobs import Desired, Job, JobKind, JobState
from core.schemas.recorder import Interrupted
from core.store import jobs
from core.store.config import storage_root
from core.store.engine import DatabaseBusy, is_full, is_locked

from .processes import end_at_once, watch_parent
from .recorder import FENCED_OUT, JobRecorder, until_written

log = logging.getLogger(__name__)
TRAINING = (JobKind.TRAIN, JobKind.MITIGATE)  # kinds that draw curves


def unexpected(job: Job, error: BaseException) -> UserError:
    """What a person is told about a fault that nobody foresaw; the traceback is in the log."""
    return UserError(
        "Something went wrong that we did not foresee.",
        f"{type(error).__name__}: {str(error)[:300]}",
        f"Open the log for the details, then try again. Reference: {job.id}.",
    )


def run(job: Job, fence: int, recorder: JobRecorder) -> None:
    """Do the job and write its end, whatever happens. Raises FencedOut when the job is not ours any more."""
    with jobs.owned(job.id, fence):
        state, result, error = outcome(job, recorder)
    try:
        recorder.close()
    except jobs.FencedOut:
        raise
    except Exception as failure:
        state, result, error = JobState.FAILED, None, foreseen_or_not(job, failure)
    try:
        if state is JobState.PAUSED and error is not None:
            until_written(lambda: jobs.hold(job.id, fence, error))
        else:
            until_written(lambda: jobs.finish(job.id, fence, state, result, error))
    except jobs.FencedOut:
        raise
    except Exception as failure:  # a result that cannot be stored, for example
        problem = foreseen_or_not(job, failure)
        until_written(lambda: jobs.finish(job.id, fence, JobState.FAILED, None, problem))


def outcome(job: Job, recorder: JobRecorder) -> tuple[JobState, dict[str, Any] | None, dict[str, Any] | None]:
    """Do the job: its next state, its result, its error. `core/worker/handlers/KIND_job.py` handles a kind.

    Paused with an error means that it waits for what the error names.
    """
    if job.result is not None and job.kind is not JobKind.SERVE:
        return JobState.DONE, job.result, None  # it was delivered, and its process killed before it could say so
    try:
        handler = importlib.import_module(f"core.worker.handlers.{job.kind.value}_job")
        return JobState.DONE, handler.run(job, recorder), None
    except Interrupted as interrupted:
        return (JobState.STOPPED if interrupted.wish is Desired.CANCEL else JobState.QUEUED), None, None
    except jobs.FencedOut:
        raise
    except (Exception, SystemExit) as failure:
        if isinstance(failure, DatabaseBusy) and is_locked(failure):
            log.warning("the database stayed locked: the job goes back into the queue")
            return JobState.QUEUED, None, None
        if is_disk_full(failure) or (isinstance(failure, DatabaseBusy) and is_full(failure)):
            return JobState.PAUSED, None, no_space(failure)
        return JobState.FAILED, None, foreseen_or_not(job, failure)


def no_space(failure: BaseException) -> dict[str, Any]:
    """The error of a job that waits for space; `free` is how many bytes there were, now that it cleaned up behind it."""
    log.warning("the disk is full: the job waits", exc_info=failure)
    return {**DiskFull().as_dict(), "free": shutil.disk_usage(storage_root()).free}


def foreseen_or_not(job: Job, failure: BaseException) -> dict[str, Any]:
    """The error as a person reads it. The traceback goes to the log alone."""
    if not isinstance(failure, UserError):
        traceback.print_exception(failure)
        return dict(unexpected(job, failure).as_dict())
    log.warning("%s", failure)
    if failure.__cause__ is not None:
        traceback.print_exception(failure.__cause__)
    return dict(failure.as_dict())


def main() -> None:
    job_id, fence, parent = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stdout)
    watch_parent(parent, end_at_once)
    job = jobs.get(job_id)
    if job is None:
        sys.exit(f"no job {job_id}")
    recorder = JobRecorder(job_id, fence, job.payload.get("run_id") if job.kind in TRAINING else None)
    signal.signal(signal.SIGTERM, lambda *_: recorder.shut_down())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the supervisor tells us
    status = 1
    try:
        recorder.start()
        run(job, fence, recorder)
        status = 0
    except jobs.FencedOut:
        status = FENCED_OUT
    except BaseException:
        traceback.print_exc()
    logging.shutdown()
    sys.stdout.flush()
    os._exit(status)  # library threads must not keep a finished job alive


if __name__ == "__main__":
    main()
