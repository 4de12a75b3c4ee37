"""Wait for a job of the worker while showing how far it is; and leave it properly when the person presses Ctrl-C."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from core.schemas.errors import UserError
from core.schemas.jobs import Desired, Job, JobState
from core.store import jobs
from core.store.files import job_log

from ._progress import Progress
from ._worker import Worker, running

POLL_SECONDS = 0.3
CANCEL_SECONDS = 30.0


class Watch:
    """Polls one job at a time. `seconds` gathers how long each step took, waiting included."""

    def __init__(
        self,
        worker: Worker,
        progress: Progress,
        pause: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._worker, self._progress, self._pause, self._clock = worker, progress, pause, clock
        self._current: tuple[str, str] | None = None
        self.seconds: dict[str, float] = {}

    def step(self, name: str, began: float) -> None:
        """Note that the step `name`, which began at `began` of the clock, is over."""
        self.seconds[name] = round(self._clock() - began, 2)

    def now(self) -> float:
        return self._clock()

    def show(self, step: str, phase: str) -> None:
        """Show work that this process does itself."""
        self._progress.show(step, phase)

    def wait(self, step: str, job_id: str) -> Job:
        """Wait until the job is done. Raises UserError where it failed, was cancelled, or has no worker to do it."""
        self._current = (step, job_id)
        while not (job := _get(job_id)).state.final:
            waiting = job.phase
            if job.state is JobState.PAUSED:
                waiting = (job.error or {}).get("title") or "Paused: resume it in the dashboard"
            self._progress.show(step, waiting or "Waiting for the worker", job.done, job.total)
            self._worker.check()
            self._pause(POLL_SECONDS)
        self._current = None
        if job.state is JobState.FAILED:
            self._progress.say(f"The log of this job is {job_log(job_id)}")
            raise UserError.from_dict(
                job.error or {"title": f"The step {step} failed.", "cause": "No reason is known."}
            )
        if job.state is JobState.STOPPED:
            raise UserError("The job was cancelled.", f"Somebody cancelled the step {step}.", "Run the command again.")
        return job

    def leave(self) -> UserError:
        """What to say after Ctrl-C. Cancels the job where its worker ends with this command."""
        if self._current is None:
            return UserError("You ended the command.", "No job was running at that moment.", "Run the command again.")
        step, job_id = self._current
        if not self._worker.ours:
            return UserError(
                "You left before the end.",
                f"The step {step} goes on in a worker that was there before. The steps after it will not follow.",
                "Watch it with `python -m core status` or in the dashboard.",
            )
        self._progress.show(step, "Cancelling")
        jobs.wish(job_id, Desired.CANCEL)
        deadline = self._clock() + CANCEL_SECONDS
        while not _get(job_id).state.final and self._clock() < deadline:
            self._pause(POLL_SECONDS)
        return UserError(
            "You cancelled the job.",
            f"The step {step} was ended without a result, because its worker ends with this command.",
            "Run the command again. A worker of its own (`python -m core worker`) goes on when you leave.",
        )


def wait_for(step: str, submit: Callable[[], str]) -> Job:
    """Submit one job and wait until it is done, with a worker for the time being and progress on standard error."""
    progress = Progress(sys.stderr)
    with running(progress.say) as worker:
        watch = Watch(worker, progress)
        try:
            return watch.wait(step, submit())
        except KeyboardInterrupt:
            raise watch.leave() from None
        finally:
            progress.clear()


def _get(job_id: str) -> Job:
    job = jobs.get(job_id)
    if job is None:
        raise UserError("The job is gone.", "Its project was deleted while it ran.", "Run the command again.")
    return job
