"""The child process of one job: `python -m core.worker.child JOB_ID FENCE PARENT`. Its memory and its crashes end with it."""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
import traceback

from core.schemas.errors import UserError
from core.schemas.jobs import Desired, Job, JobKind, JobState
from core.schemas.recorder import Interrupted
from core.store import jobs

from .processes import end_at_once, watch_parent
from .recorder import JobRecorder, leave

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
    """Do the job and write its end. The handler is found by the job's kind: `core/worker/handlers/KIND_job.py`."""
    state, result, error = JobState.DONE, None, None
    try:
        handler = importlib.import_module(f"core.worker.handlers.{job.kind.value}_job")
        result = handler.run(job, recorder)
    except Interrupted as interrupted:
        if interrupted.wish is Desired.CANCEL:
            state = JobState.STOPPED
        else:
            state = JobState.QUEUED if recorder.shutting_down() else JobState.PAUSED
    except UserError as failure:
        state, error = JobState.FAILED, failure.as_dict()
        log.warning("%s", failure)
        if failure.__cause__ is not None:
            traceback.print_exception(failure.__cause__)
    except jobs.FencedOut:
        leave()
    except Exception as failure:
        state, error = JobState.FAILED, unexpected(job, failure).as_dict()
        traceback.print_exc()
    recorder.close()
    jobs.finish(job.id, fence, state, result, error)


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
    recorder.start()
    try:
        run(job, fence, recorder)
    except jobs.FencedOut:
        leave()
    finally:
        logging.shutdown()
        sys.stdout.flush()
    os._exit(0)  # library threads must not keep a finished job alive


if __name__ == "__main__":
    main()
