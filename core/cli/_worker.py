"""Find the worker of this storage folder, or start one for the time of a command."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from core.store.config import PROJECT_ROOT
from core.store.files import folder
from core.store.owners import alive_worker


def alive() -> str | None:
    """Identity of the worker that runs on this storage, or None."""
    return alive_worker(folder("state"))


@contextmanager
def running() -> Iterator[None]:
    """Make sure that a worker runs: use the one that is there, else start one and end it afterwards."""
    if alive():
        yield
        return
    with open(folder("logs") / "worker.log", "ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "core", "worker"],
            cwd=PROJECT_ROOT,
            env={**os.environ, "TUNEWELL_PARENT_PID": str(os.getpid())},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=90)
