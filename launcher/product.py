"""Tunewell itself: the database migration, the worker and the dashboard, and serving until a stop is asked for."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from core.schemas.errors import UserError

from . import address
from .console import ProgressLine, say, tail
from .services import Service, Watch, describe_exit, end_all

ROOT = Path(__file__).resolve().parents[1]
WORKER_PATIENCE = 60.0  # seconds to save a running training
DASHBOARD_PATIENCE = 5.0
FIRST_ANSWER_SECONDS = 180.0


def child_variables(storage: Path) -> dict[str, str]:
    """The environment of both processes. The worker ends when the process TUNEWELL_PARENT_PID is gone."""
    return {
        **os.environ,
        "TUNEWELL_STORAGE": str(storage),
        "TUNEWELL_PARENT_PID": str(os.getpid()),
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
    }


def migrate(python: str | Path, variables: Mapping[str, str]) -> None:
    """Bring the database to the newest schema. Raises UserError with what the command said."""
    done = subprocess.run(
        [str(python), "-m", "core", "migrate"],
        cwd=ROOT,
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode == 0:
        return
    log = Path(variables["TUNEWELL_STORAGE"]) / "logs" / "migrate.log"
    log.parent.mkdir(exist_ok=True)
    log.write_text(done.stdout, "utf-8")
    said = done.stdout.strip().splitlines() or [describe_exit(done.returncode)]
    if any(line.startswith("Traceback") for line in said):  # a person gets the last line of it, the log has it all
        said = said[-1:]
    raise UserError(
        "The database could not be opened.",
        "\n    ".join(said),
        f"Start again, or with another folder: --storage FOLDER. Your data was not changed. The whole log: {log}",
    )


def services(python: str | Path, variables: Mapping[str, str], host: str, port: int) -> list[Service]:
    """The worker and the dashboard, in this order, not yet started."""
    logs = Path(variables["TUNEWELL_STORAGE"]) / "logs"
    worker = [python, "-m", "core", "worker"]
    dashboard = [python, "-m", "launcher.tied", "core.ui.serve", "run", "app.py"]
    dashboard += ["--server.address", host, "--server.port", str(port)]
    dashboard += ["--server.headless", "true", "--browser.gatherUsageStats", "false"]
    return [
        Service(name, command, folder=ROOT, environment=variables, log=logs / f"{name}.log", patience=patience)
        for name, command, patience in (
            ("worker", worker, WORKER_PATIENCE),
            ("dashboard", dashboard, DASHBOARD_PATIENCE),
        )
    ]


def wait_for_answer(dashboard: Service, base_url: str, give_up: Callable[[], bool] = lambda: False) -> bool:
    """Wait until the dashboard answers; False when `give_up()` says so first.

    Raises UserError where the dashboard ends, or does not answer within three minutes.
    """
    line, end = ProgressLine(), time.monotonic() + FIRST_ANSWER_SECONDS
    while not address.answers(base_url):
        if give_up():
            line.clear()
            return False
        if not dashboard.running or time.monotonic() > end:
            line.clear()
            status = dashboard.exit_status()
            what = "It does not answer" if dashboard.running else f"It ended ({describe_exit(status)})"
            last_words = "".join(f"\n    {words}" for words in tail(dashboard.log).splitlines())
            raise UserError(
                "The dashboard did not start.",
                f"{what}. The end of its log:{last_words}",
                f"Start again. If it happens again, the whole log is in {dashboard.log}",
            )
        line.show("Starting the dashboard")
        time.sleep(0.1)
    line.end("The dashboard is running")
    return True


def serve(
    both: Sequence[Service], base_url: str, ready: Callable[[], None], prepare: Callable[[], None] = lambda: None
) -> None:
    """Start both services, call `ready` when the dashboard answers, and end them when a stop is asked for.

    `prepare` (the migration) runs while the dashboard is still loading, and before the worker is started. What it raises
    ends the start.
    """
    stop_requests = _count_stop_requests()
    worker, dashboard = both
    try:
        dashboard.start()
        try:
            prepare()
        except UserError:
            if not stop_requests:  # else Ctrl-C broke the migration off, which is no fault
                raise
        if not stop_requests:
            worker.start()
        if wait_for_answer(dashboard, base_url, give_up=lambda: bool(stop_requests)):
            ready()
            watch = Watch(both)
            while not stop_requests:
                watch.look()
                time.sleep(0.2)
    finally:
        asked = len(stop_requests)
        if worker.running:
            say(
                "\nStopping. Waiting for the worker to save what is running "
                f"(at most {worker.patience:.0f} s; Ctrl-C again ends it at once)."
            )
        if worker in end_all(both, in_a_hurry=lambda: len(stop_requests) > asked):
            say("The worker was ended before it had saved; a running training continues from its last checkpoint.")
        say("Tunewell has stopped.")


def _count_stop_requests() -> list[int]:
    """A list that grows with each Ctrl-C or request to end. The handler does no more than that."""
    received: list[int] = []
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda number, _frame: received.append(number))
    return received
