"""`python run.py` from beginning to end, on a miniature project: the launcher is the real one, what it starts is small.

The miniature worker and dashboard are real processes that write their process ids and what happens to them into the
storage folder; the real ones are started by the browser tests.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from core.schemas.errors import UserError
from launcher.environment import Environment

ROOT = Path(__file__).resolve().parents[1]
STAMP = "tunewell-installed.json"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals as on Linux and macOS")

CORE = """
import os, signal, sys
from pathlib import Path
storage = Path(os.environ["TUNEWELL_STORAGE"])
def note(name): (storage / name).write_text(str(os.getpid()))
if sys.argv[1] == "migrate":
    if (storage / "broken").exists():
        sys.exit("The database is damaged.")
    if (storage / "slow").exists():
        note("migrating")
        while True:
            signal.pause()
    note("migrated")
else:
    import psutil_free_watch
    signal.signal(signal.SIGTERM, lambda *_: (note("saved"), sys.exit(0)))
    psutil_free_watch.end_with(int(os.environ["TUNEWELL_PARENT_PID"]))
    note("worker")
    while True:
        signal.pause()
"""
WATCH = """
import os, threading, time
def end_with(parent):
    def watch():
        while os.getppid() == parent:
            time.sleep(0.05)
        os._exit(1)
    threading.Thread(target=watch, daemon=True).start()
"""
DASHBOARD = """
import http.server, os, sys
from pathlib import Path
options = dict(zip(sys.argv[1:], sys.argv[2:]))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/_stcore/health" else 404)
        self.end_headers()
    def log_message(self, *_): pass
server = http.server.HTTPServer((options["--server.address"], int(options["--server.port"])), Handler)
(Path(os.environ["TUNEWELL_STORAGE"]) / "dashboard").write_text(str(os.getpid()))
server.serve_forever()
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The launcher with a worker and a dashboard that do nothing, no requirements, and an unfinished `.venv`."""
    root = tmp_path_factory.mktemp("project with a space")
    shutil.copytree(ROOT / "launcher", root / "launcher", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "run.py", root)
    for name in ("core/__init__.py", "core/schemas/__init__.py", "core/schemas/errors.py"):
        (root / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    (root / "core" / "ui").mkdir()
    (root / "core" / "ui" / "__init__.py").touch()
    (root / "core/__main__.py").write_text(CORE)
    (root / "psutil_free_watch.py").write_text(WATCH)
    (root / "core/ui/serve.py").write_text(DASHBOARD)
    (root / "requirements.txt").write_text("# nothing\n")
    (root / "requirements-dev.txt").write_text("# nothing\n")
    (root / ".venv" / "half a package").mkdir(parents=True)
    (root / ".venv" / STAMP).write_text(json.dumps({"python": "any", "installing": True}))
    return root


class Start:
    """A running `run.py`; every line it printed is in `printed`."""

    def __init__(self, project: Path, storage: Path, *options: str) -> None:
        self.storage = storage
        self.printed: list[str] = []
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TUNEWELL_")}
        self.process = subprocess.Popen(
            [sys.executable, project / "run.py", "--storage", storage, "--no-browser", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            cwd=project.parent,
        )

    def read_until(self, words: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.printed.append(line)
            if words in line:
                return line
        raise AssertionError(f"run.py ended before it said {words!r}:\n{''.join(self.printed)}")

    def until_ready(self) -> str:
        """The address that it printed."""
        return self.read_until("Tunewell is ready").split()[-1]

    def the_rest(self) -> str:
        assert self.process.stdout is not None
        self.printed += self.process.stdout
        self.process.wait(30)
        return "".join(self.printed)

    def child(self, name: str) -> psutil.Process:
        eventually(lambda: bool(self.read(name)))
        return psutil.Process(int(self.read(name)))

    def read(self, name: str) -> str:
        path = self.storage / name
        return path.read_text() if path.exists() else ""


Starter = Callable[..., Start]


@pytest.fixture
def start(project: Path, tmp_path: Path) -> Iterator[Starter]:
    started: list[Start] = []

    def begin(*options: str, storage: Path = tmp_path / "storage") -> Start:
        storage.mkdir(exist_ok=True)
        started.append(Start(project, storage, *options))
        return started[-1]

    yield begin
    for one in started:
        if one.process.poll() is None:
            one.process.terminate()
        one.the_rest()


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def has_ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_a_start_installs_migrates_serves_and_ends_cleanly(project: Path, start: Starter) -> None:
    first = start("--port", "20100")
    assert first.until_ready().startswith("http://127.0.0.1:201")
    assert (project / ".venv" / "pyvenv.cfg").exists()
    assert not (project / ".venv" / "half a package").exists()  # an installation was interrupted here
    assert "Making a Python environment" in "".join(first.printed)
    assert first.read("migrated")
    worker, dashboard = first.child("worker"), first.child("dashboard")
    first.process.send_signal(signal.SIGINT)
    said = first.the_rest()
    assert first.process.returncode == 0
    assert "Waiting for the worker to save" in said and "Tunewell has stopped." in said
    assert first.read("saved") == str(worker.pid)
    assert has_ended(worker) and has_ended(dashboard)


def test_a_stop_during_the_migration_is_a_stop_and_no_error(start: Starter) -> None:
    first = start("--port", "20150")
    first.until_ready()
    first.process.send_signal(signal.SIGINT)
    first.the_rest()
    (first.storage / "slow").touch()
    again = start("--port", "20150")
    eventually(lambda: bool(again.read("migrating")))
    again.process.send_signal(signal.SIGINT)  # Ctrl-C in a terminal reaches both
    os.kill(int(again.read("migrating")), signal.SIGINT)
    said = again.the_rest()
    assert again.process.returncode == 0
    assert "Tunewell has stopped." in said and "database" not in said


def test_a_second_start_installs_nothing(project: Path, start: Starter) -> None:
    Environment(project, ["requirements.txt"]).prepare(project / "setup.log")
    again = start()
    again.until_ready()
    assert not (again.storage / "logs" / "setup.log").exists()
    assert not any("Installing" in line or "Making" in line for line in again.printed)


def test_a_second_instance_on_the_same_storage_points_to_the_first_and_ends(start: Starter) -> None:
    first = start()
    url = first.until_ready()
    second = start()
    said = second.the_rest()
    assert second.process.returncode == 0
    assert f"running on this storage already: {url}" in said
    assert first.process.poll() is None


def test_an_instance_on_another_storage_takes_the_next_port_and_says_so(start: Starter, tmp_path: Path) -> None:
    first = start()
    port = int(first.until_ready().rsplit(":", 1)[1])
    other = start("--port", str(port), storage=tmp_path / "other")
    said = other.read_until("is in use")
    assert f"Port {port}" in said
    assert int(other.until_ready().rsplit(":", 1)[1]) > port


def test_nothing_is_left_when_the_launcher_is_killed(start: Starter) -> None:
    first = start()
    first.until_ready()
    worker, dashboard = first.child("worker"), first.child("dashboard")
    first.process.kill()
    eventually(lambda: has_ended(worker) and has_ended(dashboard))
    start().until_ready()  # and the lock it held does not count any more


def test_a_worker_and_a_dashboard_that_die_are_started_again(start: Starter) -> None:
    first = start()
    first.until_ready()
    for name in ("worker", "dashboard"):
        before = first.child(name)
        before.kill()
        assert "killed by SIGKILL" in first.read_until(f"The {name} ended by itself")
        eventually(lambda name=name, before=before: first.read(name) not in ("", str(before.pid)))


def test_a_dashboard_that_cannot_start_is_explained_with_its_last_words(project: Path, start: Starter) -> None:
    (project / "core" / "ui" / "serve.py").write_text("raise SystemExit('no module named something')")
    try:
        broken = start()
        said = broken.the_rest()
    finally:
        (project / "core" / "ui" / "serve.py").write_text(DASHBOARD)
    assert broken.process.returncode == 1
    assert "The dashboard did not start." in said and "no module named something" in said
    assert "Traceback" not in said


def test_a_database_that_cannot_be_opened_ends_the_start_with_its_sentence(start: Starter, tmp_path: Path) -> None:
    (tmp_path / "storage").mkdir()
    (tmp_path / "storage" / "broken").touch()
    refused = start()
    said = refused.the_rest()
    assert refused.process.returncode == 1
    assert "The database is damaged." in said
    assert not refused.read("worker")
    dashboard = refused.read("dashboard")  # it may have got so far meanwhile
    assert not dashboard or not psutil.pid_exists(int(dashboard)) or has_ended(psutil.Process(int(dashboard)))


# The environment


@pytest.fixture
def environment(project: Path) -> Iterator[Environment]:
    ready = Environment(project, ["requirements.txt"])
    ready.prepare(project / "setup.log")
    stamp = (project / ".venv" / STAMP).read_text()
    yield ready
    (project / "requirements.txt").write_text("# nothing\n")
    (project / ".venv" / STAMP).write_text(stamp)


def test_a_comment_in_the_requirements_changes_nothing(environment: Environment, project: Path) -> None:
    (project / "requirements.txt").write_text("\n# another comment\n")
    assert environment.is_ready()


def test_a_changed_requirement_is_installed(environment: Environment, project: Path, tmp_path: Path) -> None:
    (project / "requirements.txt").write_text("pip\n")  # it is there already: nothing to download
    assert not environment.is_ready()
    assert environment.prepare(tmp_path / "setup.log")
    assert environment.is_ready()
    assert "already satisfied: pip" in (tmp_path / "setup.log").read_text()


def test_the_tests_want_more_than_the_product(environment: Environment, project: Path) -> None:
    assert environment.is_ready()
    assert not Environment(project, ["requirements.txt", "requirements-dev.txt"]).is_ready()


def test_a_package_that_does_not_exist_is_named_and_the_environment_is_not_ready(
    environment: Environment, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    (project / "requirements.txt").write_text("tunewell-there-is-no-such-package\n")
    with pytest.raises(UserError) as failed:
        environment.prepare(tmp_path / "setup.log")
    assert "tunewell-there-is-no-such-package" in failed.value.cause
    assert "setup.log" in failed.value.fix
    assert not environment.is_ready()


@pytest.mark.parametrize("change", [{"installing": True}, {"python": "cpython-310-linux-x86_64"}, {"files": {}}])
def test_an_unfinished_or_foreign_environment_is_not_ready(
    environment: Environment, project: Path, change: dict[str, object]
) -> None:
    stamp = project / ".venv" / STAMP
    stamp.write_text(json.dumps({**json.loads(stamp.read_text()), **change}))
    assert not environment.is_ready()
