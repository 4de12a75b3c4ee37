"""Start a Streamlit script on a free loopback port."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from databases import used

from core.schemas.plan import PreparationPlan
from core.services import datasets, health, preparation, projects

ROOT = Path(__file__).resolve().parents[2]
APPS = Path(__file__).parent / "apps"


@dataclass(frozen=True)
class Served:
    url: str
    project: str
    storage: Path


@contextmanager
def serve(script: Path, log: Path) -> Iterator[str]:
    """Yield the address of the running script; stop the server afterwards. What it says goes to `log`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(script), f"--server.port={port}", "--server.headless=true"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with log.open("wb") as out:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT)
    try:
        _wait_until_healthy(f"http://127.0.0.1:{port}/_stcore/health", server, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()


@contextmanager
def serve_project(folder: Path, rows: list[dict[str, str]]) -> Iterator[Served]:
    """The dashboard on a project with these rows (row_id, message, team), their health report and a split.

    What an import leaves behind is there at once, without a worker. Everything is kept in `folder`.
    """
    with used(folder / "storage") as storage:
        project = projects.create("Sort reviews", "classification")
        version = datasets.add_version(
            project.id, pd.DataFrame(rows), roles={"text": "message", "label": "team"},
            title="reviews <b>.csv", origin={"kind": "import"},
        )  # fmt: skip
        preparation.save(projects.get(project.id), PreparationPlan())
        health.check(version)
        with serve(ROOT / "app.py", folder / "log.txt") as url:
            yield Served(url, project.id, storage)


def _wait_until_healthy(address: str, server: subprocess.Popen[bytes], log: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')[-2000:]}")
