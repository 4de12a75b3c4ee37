"""The process of one job: `python -m core.worker.child JOB_ID FENCE PARENT`. Its memory and its crashes end with it."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
import traceback
from typing import Any

from core.schemas.errors import UserError
from core.schemas.jobs import Desired, Job, JobKind, JobState
from core.schemas.recorder import Interrupted
from core.store import jobs
from core.store.engine import DatabaseBusy, is_locked

from .processes import end_at_once, watch_parent
from .recorder import FENCED_OUT, JobRecorder, until_unlocked

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
    state, result, error = outcome(job, recorder)
    try:
        recorder.close()
    except jobs.FencedOut:
        raise
    except Exception as failure:
        state, result, error = JobState.FAILED, None, foreseen_or_not(job, failure)
    try:
        until_unlocked(lambda: jobs.finish(job.id, fence, state, result, error))
    except jobs.FencedOut:
        raise
    except Exception as failure:  # a result that cannot be stored, for example
        problem = foreseen_or_not(job, failure)
        until_unlocked(lambda: jobs.finish(job.id, fence, JobState.FAILED, None, problem))


def outcome(job: Job, recorder: JobRecorder) -> tuple[JobState, dict[str, Any] | None, dict[str, Any] | None]:
    """Do the job: its next state, its result, its error. `core/worker/handlers/KIND_job.py` handles a kind."""
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
        return JobState.FAILED, None, foreseen_or_not(job, failure)


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
