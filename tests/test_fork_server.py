"""Jobs' processes that are forked from one process: real processes, without the imports of torch."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from waiting import until

from core.schemas.jobs import Job, JobKind
from core.worker import starting
from core.worker.forked import KILLED, Forked, ForkServer
from core.worker.starting import JobStarter

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="jobs are forked on Linux alone")
SLEEPS = "import time; time.sleep(600)"


def started() -> ForkServer:
    return ForkServer({**os.environ, "PYTHONPATH": str(Path(__file__).parent)}, "light_fork_server")


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    """One for the tests that leave it as it was."""
    made = started()
    yield made
    made.close()


@pytest.fixture
def doomed() -> Iterator[ForkServer]:
    made = started()
    yield made
    made.close()


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Callable[[ForkServer, str], Forked]]:
    """Ask a server for a process with this code, whose output goes to `log`; none outlives the test."""
    made: list[Forked] = []

    def ask(server: ForkServer, code: str) -> Forked:
        with open(tmp_path / "log", "ab") as output:
            made.append(server.fork([code], output))
        return made[-1]

    yield ask
    for each in made:
        if each.poll() is None and each.pid is not None:
            psutil.Process(each.pid).kill()


@pytest.fixture
def fork(server: ForkServer, asked: Callable[[ForkServer, str], Forked]) -> Callable[[str], Forked]:
    return partial(asked, server)


def begun(forked: Forked) -> int:
    until(lambda: forked.poll() is not None or forked.pid is not None, "the fork")
    assert forked.pid is not None
    return forked.pid


def test_a_forked_process_is_what_one_that_started_anew_is(fork: Callable[[str], Forked], tmp_path: Path) -> None:
    code = "import os, sys; print(os.getpgrp() == os.getpid(), sys.stdin.read() == ''); print('told', file=sys.stderr)"
    forked = fork(f"{code}; sys.stdout.flush(); os._exit(7)")
    assert forked.wait(60) == 7
    assert sorted((tmp_path / "log").read_text().splitlines()) == ["True True", "told"]


def test_how_each_process_ended_is_known_and_a_traceback_is_in_its_log_alone(
    fork: Callable[[str], Forked], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    killed, failed, left = fork("import os; os.kill(os.getpid(), 9)"), fork("1 / 0"), fork("import os; os._exit(0)")
    assert [each.wait(60) for each in (left, failed, killed)] == [0, 1, -9]
    assert "ZeroDivisionError" in (tmp_path / "log").read_text()
    assert "ZeroDivisionError" not in capfd.readouterr().err


def test_a_forked_process_can_be_asked_to_end(fork: Callable[[str], Forked]) -> None:
    forked = fork(SLEEPS)
    begun(forked)
    with pytest.raises(subprocess.TimeoutExpired):
        forked.wait(0.1)
    forked.terminate()
    assert forked.wait(30) == -15
    forked.terminate()  # twice does no harm


def test_when_the_server_is_killed_its_processes_go_on_and_their_end_is_seen(
    doomed: ForkServer, asked: Callable[[ForkServer, str], Forked]
) -> None:
    forked = asked(doomed, SLEEPS)
    process = psutil.Process(begun(forked))
    (helper,) = [each for each in psutil.Process().children() if each.pid == process.ppid()]
    helper.kill()
    until(lambda: forked.poll() is None and doomed.gone, "the end of the server is seen")
    assert forked.poll() is None and process.is_running()
    process.kill()
    until(lambda: forked.poll() == KILLED, "the end of its process is seen")


def test_what_had_not_begun_when_the_server_ended_never_begins(
    doomed: ForkServer, asked: Callable[[ForkServer, str], Forked], tmp_path: Path
) -> None:
    forked = asked(doomed, "print('begun')")
    forked.terminate()  # the server is still importing
    assert forked.wait(30) == KILLED
    assert (tmp_path / "log").read_text() == ""


def test_the_server_ends_with_the_worker_and_leaves_running_jobs_alone(tmp_path: Path) -> None:
    code = (
        "import os, sys, time; from core.worker.forked import ForkServer\n"
        "server = ForkServer(os.environ, 'light_fork_server')\n"
        "forked = server.fork(['import time; time.sleep(600)'], open(sys.argv[1], 'wb'))\n"
        "while forked.pid is None: forked.poll(); time.sleep(0.01)\n"
        "print(server._process.pid, forked.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (Path.cwd(), Path(__file__).parent)))}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "log")], env=variables, stdout=subprocess.PIPE, timeout=60
    )
    helper, job = map(int, done.stdout.split())
    until(lambda: not psutil.pid_exists(helper) or psutil.Process(helper).status() == psutil.STATUS_ZOMBIE, "its end")
    assert psutil.Process(job).is_running()  # it looks after its worker by itself
    psutil.Process(job).kill()


# -- when a job is forked, and when it begins anew ------------------------------------------------------------------------


class Scripted:
    """A fork server that only notes what is asked of it."""

    def __init__(self) -> None:
        self.ready = self.gone = self.closed = False
        self.asked: list[tuple[str, ...]] = []
        self.refuses = False

    def listen(self) -> None: ...

    def close(self) -> None:
        self.closed = True

    def fork(self, arguments: tuple[str, ...], output: Any) -> str:
        if self.refuses:
            raise BrokenPipeError
        self.asked.append(arguments)
        return "forked"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, storage: Path) -> SimpleNamespace:
    """A starter whose servers are scripted, with a clock that is set by hand."""
    made = SimpleNamespace(now=0.0, servers=[], possible=True)

    def begin() -> Scripted:
        made.servers.append(Scripted())
        return made.servers[-1]

    monkeypatch.setattr(starting, "start_anew", lambda arguments, output: "anew")
    made.starter = JobStarter(lambda: made.now, lambda: made.possible, begin)  # type: ignore[arg-type,return-value]
    made.start = lambda kind: made.starter(Job(id="j", project_id=None, kind=kind, payload={}, state="running",
                                               desired="run", created_at=0.0), 1, "me")  # fmt: skip
    return made


def test_only_jobs_that_need_torch_wait_for_a_server_that_is_not_ready(world: SimpleNamespace) -> None:
    assert world.start(JobKind.IMPORT) == "anew" and world.servers == []
    assert world.start(JobKind.TRAIN) == "forked"
    assert world.start(JobKind.IMPORT) == "anew"
    world.servers[0].ready = True
    assert world.start(JobKind.IMPORT) == "forked"
    assert world.servers[0].asked == [("j", "1", "me")] * 2 and len(world.servers) == 1


def test_where_it_is_not_possible_every_job_begins_anew(world: SimpleNamespace) -> None:
    world.possible = False
    assert world.start(JobKind.TRAIN) == "anew"
    world.now = starting.WARM_AFTER_SECONDS
    world.starter.tick(busy=False)
    assert world.servers == []


def test_a_server_that_fails_twice_is_not_tried_again(world: SimpleNamespace) -> None:
    assert world.start(JobKind.TRAIN) == "forked"
    world.servers[0].refuses = True
    assert world.start(JobKind.TRAIN) == "anew" and world.servers[0].closed
    assert world.start(JobKind.TRAIN) == "forked"
    world.servers[1].gone = True
    assert world.start(JobKind.TRAIN) == "anew"
    assert world.start(JobKind.TRAIN) == "anew" and len(world.servers) == 2


def test_the_libraries_are_loaded_after_a_short_rest_and_given_back_after_a_long_one(world: SimpleNamespace) -> None:
    def rest(seconds: float, busy: bool = False) -> None:
        world.now += seconds
        world.starter.tick(busy)

    rest(starting.WARM_AFTER_SECONDS - 1)
    assert world.servers == []
    rest(1)
    rest(10)
    assert len(world.servers) == 1
    for _ in range(3):  # a job that runs for long is no rest
        rest(starting.COLD_AFTER_SECONDS, busy=True)
    rest(starting.COLD_AFTER_SECONDS - 1)
    assert not world.servers[0].closed
    rest(1)
    rest(starting.COLD_AFTER_SECONDS)
    assert world.servers[0].closed and len(world.servers) == 1, "it began again although nobody was there"
    assert world.start(JobKind.TRAIN) == "forked" and len(world.servers) == 2


@pytest.mark.parametrize("reason", ["card", "memory", "switched off", "system"])
def test_a_card_little_memory_another_system_or_the_person_rule_a_fork_out(
    reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "DEVICES", ("null",) if reason == "card" else ())
    free = starting.MEMORY_NEEDED - 1 if reason == "memory" else starting.MEMORY_NEEDED + 1
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=free))
    monkeypatch.setenv("TUNEWELL_WARM", "0" if reason == "switched off" else "1")
    monkeypatch.setattr(sys, "platform", "darwin" if reason == "system" else "linux")
    assert not starting.may_fork()
    monkeypatch.undo()
    monkeypatch.setattr(starting, "DEVICES", ())
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=starting.MEMORY_NEEDED + 1))
    monkeypatch.delenv("TUNEWELL_WARM", raising=False)
    assert starting.may_fork()
