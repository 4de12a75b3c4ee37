"""The two processes: started again when they end on their own, ended in order, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from launcher.services import Service, Watch, describe_exit, end_all

ROOT = Path(__file__).resolve().parents[1]
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals as on Linux and macOS")


class FakeService(Service):
    """A service whose life the test decides."""

    def __init__(self, name: str = "worker", patience: float = 60.0) -> None:
        super().__init__(name, [], folder=Path(), environment={}, log=Path("log"), patience=patience)
        self.alive, self.starts, self.asked, self.killed = True, 0, False, False
        self.status = -9

    @property
    def running(self) -> bool:
        return self.alive

    def start(self) -> None:
        self.alive, self.starts = True, self.starts + 1

    def exit_status(self) -> int | None:
        return None if self.alive else self.status

    def ask_to_end(self) -> None:
        self.asked = True

    def kill(self) -> None:
        self.alive, self.killed = False, True


def test_a_service_that_keeps_ending_is_started_again_a_few_times_a_minute_and_it_is_said() -> None:
    now, told, service = 0.0, list[str](), FakeService()
    watch = Watch([service], clock=lambda: now, tell=told.append)
    while now < 120.0:
        watch.look()
        if service.starts and service.alive:
            service.alive = False  # it ends as soon as it was started
        elif not service.starts:
            service.alive = False
        now += 0.2
    assert 4 <= service.starts <= 8
    assert "worker ended by itself (killed by SIGKILL)" in told[0]
    assert [line.split(" in ")[1].split(" s.")[0] for line in told[:6]] == ["1", "2", "4", "8", "16", "30"]


def test_a_service_that_ran_for_long_is_started_again_quickly() -> None:
    now, told, service = 0.0, list[str](), FakeService()
    watch = Watch([service], clock=lambda: now, tell=told.append)
    for lived in (1.0, 1.0, 100.0):
        now += lived
        service.alive = False
        watch.look()
        now += 2.0
        watch.look()
        assert service.alive
    assert [line.split(" in ")[1].split(" s.")[0] for line in told] == ["1", "2", "1"]


def test_a_service_that_fails_for_days_does_not_end_the_launcher() -> None:
    now, service = 0.0, FakeService()
    watch = Watch([service], clock=lambda: now, tell=lambda _: None)
    for _ in range(2000):
        service.alive = False
        watch.look()
        now += 31.0
        watch.look()
    assert service.starts == 2000


def test_services_that_run_are_left_alone() -> None:
    told, service = list[str](), FakeService()
    Watch([service], tell=told.append).look()
    assert (told, service.starts) == ([], 0)


def test_a_worker_that_waits_for_another_one_says_so_once() -> None:
    now, told, service = 0.0, list[str](), FakeService()
    watch = Watch([service], clock=lambda: now, tell=told.append)
    service.status = 3
    while now < 40.0:
        service.alive = False
        watch.look()
        now += 0.2
    assert service.starts > 2
    assert told == ["Another worker uses this storage already; ours takes over when that one ends."]


def test_each_service_gets_its_own_time_to_end() -> None:
    now, worker, dashboard = 0.0, FakeService("worker", 60.0), FakeService("dashboard", 5.0)

    def pause(_seconds: float) -> None:
        nonlocal now
        now += 1.0
        if now == 30.0:
            worker.alive = False  # it has saved

    killed = end_all([worker, dashboard], clock=lambda: now, pause=pause)
    assert killed == [dashboard]
    assert worker.asked and not worker.killed


def test_a_second_stop_request_ends_everything_at_once() -> None:
    worker = FakeService()
    assert end_all([worker], in_a_hurry=lambda: True, clock=lambda: 0.0, pause=lambda _: None) == [worker]


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


@posix_only
def test_a_process_that_ignores_the_request_is_killed_with_its_own_children(tmp_path: Path) -> None:
    script = (
        "import signal, subprocess, sys\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)\n"
        "open('child', 'w').write(str(child.pid))\n"
        "open('ready', 'w').close()\n"
        "child.wait()\n"
    )
    command = [sys.executable, "-c", script]
    service = Service("worker", command, folder=tmp_path, environment=os.environ, log=tmp_path / "log", patience=0.0)
    service.start()
    eventually((tmp_path / "ready").exists)
    child = psutil.Process(int((tmp_path / "child").read_text()))
    assert end_all([service]) == [service]
    assert service.exit_status() == -signal.SIGKILL
    eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_a_tied_process_ends_when_the_launcher_lets_go_of_its_input(tmp_path: Path) -> None:
    script = "import sys, time; print('argument', sys.argv[1], flush=True); time.sleep(60)"
    (tmp_path / "script.py").write_text(script)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])}
    with subprocess.Popen(
        [sys.executable, "-m", "launcher.tied", "script", "one"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    ) as tied:
        assert tied.stdout is not None and tied.stdin is not None
        assert tied.stdout.readline() == "argument one\n"
        tied.stdin.close()
        assert tied.wait(10) == 0


def test_ends_are_described_in_words() -> None:
    assert describe_exit(3) == "exit status 3"
    assert describe_exit(-99) == "killed by signal 99"
