"""The command line and the worker: using one, starting one, noticing its end, waiting for a job, and leaving."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from databases import migrated

from core.cli import _worker
from core.cli._progress import Progress
from core.cli._watch import Watch
from core.cli._worker import Worker
from core.schemas.errors import UserError
from core.schemas.jobs import JobKind, JobState
from core.store import jobs
from core.store.files import folder
from core.store.owners import identity

# Takes the worker's place as the real one does, and then does nothing until it is ended.
IDLE = """
import json, signal
from core.store.files import folder
from core.store.owners import identity
(folder("state") / "worker.json").write_text(json.dumps({"owner": identity()}))
signal.pause()
"""


def worker_file() -> Path:
    return folder("state") / "worker.json"


def pid_of_worker() -> int:
    return int(str(json.loads(worker_file().read_text())["owner"]).split(":")[1])


def now() -> Callable[[], float]:
    """A clock that goes on by a second each time somebody looks."""
    ticks = iter(range(10_000))
    return lambda: float(next(ticks))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


# -- the worker --------------------------------------------------------------------------------------------------------


def test_a_worker_that_is_there_is_used_and_left_alone(storage: Path) -> None:
    worker_file().write_text(json.dumps({"owner": identity()}))
    with _worker.running(print, [sys.executable, "-c", "raise SystemExit('must not be started')"]) as worker:
        worker.check()
        assert not worker.ours
    assert _worker.alive() == identity()


def test_a_worker_that_ends_at_once_is_reported_with_its_last_words(storage: Path) -> None:
    command = [sys.executable, "-c", "print('an older line'); raise SystemExit('the disk is full')"]
    with pytest.raises(UserError) as error, _worker.running(print, command):
        pass
    assert "could not be started" in error.value.title
    assert "status 1" in error.value.cause and "the disk is full" in error.value.cause
    assert str(folder("logs") / "worker.log") in error.value.fix


def test_the_last_words_are_those_of_this_start(storage: Path) -> None:
    (folder("logs") / "worker.log").write_text("yesterday's trouble\n")
    with pytest.raises(UserError) as error, _worker.running(print, [sys.executable, "-c", "raise SystemExit(5)"]):
        pass
    assert "yesterday" not in error.value.cause


@pytest.mark.skipif(os.name == "nt", reason="signal.pause")
def test_a_worker_that_dies_while_somebody_waits_is_started_again_and_not_for_ever(storage: Path) -> None:
    said: list[str] = []
    with _worker.running(said.append, [sys.executable, "-c", IDLE]) as worker:
        pids = [pid_of_worker()]
        for _ in range(_worker.MOST_RESTARTS):
            kill(worker)
            worker.check()
            pids.append(pid_of_worker())
        kill(worker)
        with pytest.raises(UserError, match="ended several times"):
            worker.check()
    assert len(set(pids)) == _worker.MOST_RESTARTS + 1
    assert said == ["The worker ended unexpectedly (status -9); starting it again."] * _worker.MOST_RESTARTS


@pytest.mark.skipif(os.name == "nt", reason="signal.pause")
def test_when_the_worker_of_somebody_else_ends_one_is_started(storage: Path) -> None:
    worker_file().write_text(json.dumps({"owner": identity()}))
    said: list[str] = []
    with _worker.running(said.append, [sys.executable, "-c", IDLE]) as worker:
        worker_file().unlink()
        worker.check()
        assert worker.ours and len(said) == 1
        mine = pid_of_worker()
    assert not psutil.pid_exists(mine)


def kill(worker: Worker) -> None:
    """As `kill -9` does, and wait until it is gone."""
    process = worker._process
    assert process is not None
    process.kill()
    process.wait()


# -- waiting and leaving -----------------------------------------------------------------------------------------------


class StandIn(Worker):
    """A worker that ends every job in one way as soon as somebody waits for it."""

    def __init__(self, ours: bool = True, state: JobState = JobState.DONE, error: dict[str, str] | None = None) -> None:
        self._ours, self.state, self.error = ours, state, error

    @property
    def ours(self) -> bool:
        return self._ours

    def check(self) -> None:
        found = jobs.claim(JobKind, "stand-in")
        assert found is not None
        jobs.finish(found[0].id, found[1], self.state, {"rows": 3}, self.error)


class Interrupting(StandIn):
    """The person presses Ctrl-C while the command waits."""

    def check(self) -> None:
        raise KeyboardInterrupt


def watch(worker: Worker) -> Watch:
    return Watch(worker, Progress(io.StringIO()), pause=lambda seconds: None, clock=now())


def interrupted(worker: Worker) -> tuple[UserError, JobState]:
    """What is said after Ctrl-C, and what became of the job."""
    job_id = jobs.submit(JobKind.TRAIN, None, {})
    waiting = watch(worker)
    with pytest.raises(KeyboardInterrupt):
        waiting.wait("Training", job_id)
    error, job = waiting.leave(), jobs.get(job_id)
    assert job is not None
    return error, job.state


@pytest.fixture
def database(storage: Path) -> None:
    migrated()


@pytest.mark.usefixtures("database")
def test_waiting_ends_with_the_finished_job() -> None:
    job = watch(StandIn()).wait("Import", jobs.submit(JobKind.IMPORT, None, {}))
    assert job.result == {"rows": 3}


@pytest.mark.usefixtures("database")
def test_the_error_of_a_failed_job_is_the_error_of_the_command() -> None:
    said = {"title": "Memory ran out.", "cause": "The batch is large.", "fix": "Halve it."}
    with pytest.raises(UserError, match=r"Memory ran out\. The batch is large\. Halve it\."):
        watch(StandIn(state=JobState.FAILED, error=said)).wait("Training", jobs.submit(JobKind.TRAIN, None, {}))


@pytest.mark.usefixtures("database")
def test_a_job_that_was_cancelled_elsewhere_is_an_error() -> None:
    with pytest.raises(UserError, match="was cancelled"):
        watch(StandIn(state=JobState.STOPPED)).wait("Training", jobs.submit(JobKind.TRAIN, None, {}))


@pytest.mark.usefixtures("database")
def test_ctrl_c_cancels_the_job_where_the_worker_ends_with_the_command() -> None:
    error, state = interrupted(Interrupting(ours=True))
    assert state is JobState.STOPPED
    assert error.title == "You cancelled the job."


@pytest.mark.usefixtures("database")
def test_ctrl_c_leaves_the_job_to_a_worker_that_was_there_before() -> None:
    error, state = interrupted(Interrupting(ours=False))
    assert state is JobState.QUEUED
    assert "goes on" in error.cause and "core status" in error.fix


# -- progress ----------------------------------------------------------------------------------------------------------


def test_without_a_terminal_each_phase_gets_one_line() -> None:
    stream = io.StringIO()
    progress = Progress(stream, clock=now())
    for done in range(3):
        progress.show("Training", "Reading rows", done, 3)
    progress.show("Training", "Saving")
    assert stream.getvalue() == "[ 0:01] Training: Reading rows\n[ 0:02] Training: Saving\n"


def test_on_a_terminal_one_line_is_drawn_again_and_never_longer_than_it_is_wide() -> None:
    stream = Terminal()
    progress = Progress(stream, clock=lambda: 0.0, columns=70)
    progress.show("Training", "Step", 5, 10)
    progress.show("Training", "Step", 5, 10)
    assert stream.getvalue() == "\r\x1b[2K[ 0:00] Training: Step [############............]  50% 5 of 10"
    progress.show("Training", "x" * 200, 5, 10)
    assert len(stream.getvalue().rsplit("\x1b[2K", 1)[1]) == 69


def test_a_sentence_takes_the_bar_away_first() -> None:
    stream = Terminal()
    progress = Progress(stream, clock=lambda: 0.0, columns=70)
    progress.show("Training", "")
    progress.say("The worker ended.")
    assert stream.getvalue().endswith("\r\x1b[2KThe worker ended.\n")
