"""Find the worker of this storage folder, or run one for the time of a command and keep it running."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.schemas.errors import UserError
from core.store.config import PROJECT_ROOT
from core.store.files import folder
from core.store.owners import alive_worker

COMMAND = (sys.executable, "-m", "core", "worker")
MOST_RESTARTS = 2
END_SECONDS = 90  # longer than the worker waits for a checkpoint
TAIL_LINES = 3
ANOTHER_RUNS = 3  # exit status of a worker that finds the place taken


def alive() -> str | None:
    """Identity of the worker that runs on this storage, or None."""
    return alive_worker(folder("state"))


class Worker:
    """The worker that a command relies on: one that was there before, or one of its own.

    `say` is given a sentence when something happens to it. `pause` waits between two looks.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        command: Sequence[str] = COMMAND,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._say, self._command, self._pause = say, command, pause
        self._process: subprocess.Popen[bytes] | None = None
        self._restarts = 0
        self._log_start = 0

    @property
    def ours(self) -> bool:
        """Whether it ends with this command."""
        return self._process is not None

    @property
    def log(self) -> Path:
        return folder("logs") / "worker.log"

    def start(self) -> None:
        """Use the worker that is there, or start one and wait for it. Raises UserError where it ends at once."""
        self._process = None
        if alive():
            return
        with open(self.log, "ab") as output:
            self._log_start = output.tell()
            process = subprocess.Popen(
                self._command,
                cwd=PROJECT_ROOT,
                env={**os.environ, "TUNEWELL_PARENT_PID": str(os.getpid())},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                **_apart_from_the_terminal(),
            )
        self._process = process
        while not alive() and process.poll() is None:
            self._pause(0.1)
        if process.poll() == ANOTHER_RUNS:  # it was quicker than ours; `check` makes sure of it
            self._process = None
        elif process.returncode is not None:
            raise self._died(process.returncode, "The background worker could not be started.")

    def check(self) -> None:
        """Start a worker again where it ended: its jobs go on. Raises UserError where that does not help."""
        if self._process is None:
            if alive():
                return
            self._say("The worker that ran on this storage folder ended; starting one.")
        else:
            status = self._process.poll()
            if status is None:
                return
            if self._restarts >= MOST_RESTARTS:
                raise self._died(status, "The background worker ended several times.")
            self._restarts += 1
            self._say(f"The worker ended unexpectedly (status {status}); starting it again.")
        self.start()

    def end(self) -> None:
        """End a worker of our own; running jobs save their state."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _died(self, status: int, title: str) -> UserError:
        with open(self.log, "rb") as stream:
            stream.seek(self._log_start)
            lines = [line for line in stream.read().decode("utf-8", "replace").splitlines() if line.strip()]
        last = " / ".join(line.strip()[:300] for line in lines[-TAIL_LINES:]) or "(nothing)"
        return UserError(
            title,
            f"It ended with status {status}. Its last words: {last}",
            f"Mend what it says; the whole log is {self.log}. `python -m core doctor` shows what this machine has.",
        )


def _apart_from_the_terminal() -> dict[str, Any]:
    """Ctrl-C reaches every process of the terminal's group: whether the worker ends is for the command to say."""
    if os.name == "nt":
        return {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    return {"start_new_session": True}


@contextmanager
def running(say: Callable[[str], None], command: Sequence[str] = COMMAND) -> Iterator[Worker]:
    """Make sure that a worker runs: use the one that is there, else start one and end it afterwards."""
    worker = Worker(say, command)
    try:
        worker.start()
        yield worker
    finally:
        worker.end()
