"""The two long-running processes: start them, start them again when they end on their own, and end them cleanly."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .console import say

CALM_SECONDS = 60.0  # a process that lived this long starts its restarts from the shortest wait again
LONGEST_WAIT = 30.0
LOG_BYTES = 5_000_000
ANOTHER_RUNS = 3  # exit status of a worker that found another one on its storage, as `python -m core run` may start
if sys.platform == "win32":  # there, only this signal reaches a process group
    _PLEASE_END = signal.CTRL_BREAK_EVENT
    _OWN_GROUP: dict[str, Any] = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
else:
    _PLEASE_END = signal.SIGTERM
    _OWN_GROUP: dict[str, Any] = {"start_new_session": True}


class Service:
    """One process with its log file.

    `patience` is how many seconds it may take to end when asked. The process gets a group of its own, so that Ctrl-C in
    the terminal reaches only the launcher, which then ends the processes in order. Its standard input is a pipe that
    closes when the launcher is gone (see `tied.py`).
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        folder: Path,
        environment: Mapping[str, str],
        log: Path,
        patience: float,
    ) -> None:
        self.name, self.log, self.patience = name, log, patience
        self._command = [str(word) for word in command]
        self._folder, self._environment = folder, dict(environment)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".old.log"))
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
                **_OWN_GROUP,
            )

    def exit_status(self) -> int | None:
        """None while it runs; negative for the number of the signal that ended it."""
        return self._process.poll() if self._process else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def ask_to_end(self) -> None:
        if self._process is not None and self.running:
            self._process.send_signal(_PLEASE_END)

    def kill(self) -> None:
        """End it and everything in its process group at once."""
        if self._process is None or not self.running:
            return
        if sys.platform == "win32":
            self._process.kill()
        else:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # it ended this very moment
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class Watch:
    """Keeps services running: one that ends on its own is started again, after waits of 1, 2, 4, ... 30 seconds."""

    def __init__(
        self,
        services: Sequence[Service],
        *,
        clock: Callable[[], float] = time.monotonic,
        tell: Callable[[str], None] = say,
    ) -> None:
        self._services = list(services)
        self._clock, self._tell = clock, tell
        self._started = {service.name: clock() for service in services}
        self._failures = dict.fromkeys(self._started, 0)
        self._start_at: dict[str, float] = {}

    def look(self) -> None:
        """Notice what ended and start what is due. Call it a few times a second."""
        now = self._clock()
        for service in self._services:
            name = service.name
            if name in self._start_at:
                if now >= self._start_at[name]:
                    del self._start_at[name]
                    self._started[name] = now
                    service.start()
            elif not service.running:
                if now - self._started[name] >= CALM_SECONDS:
                    self._failures[name] = 0
                wait = min(2.0 ** min(self._failures[name], 10), LONGEST_WAIT)  # a float has no 2.0 ** 1024
                self._failures[name] += 1
                self._start_at[name] = now + wait
                status = service.exit_status()
                if status != ANOTHER_RUNS:
                    self._tell(
                        f"The {name} ended by itself ({describe_exit(status)}) and is started again in {wait:.0f} s. "
                        f"Log: {service.log}"
                    )
                elif self._failures[name] == 1:
                    self._tell(f"Another {name} uses this storage already; ours takes over when that one ends.")


def end_all(
    services: Sequence[Service],
    *,
    in_a_hurry: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> list[Service]:
    """Ask all services to end, wait as long as each may take (no longer once `in_a_hurry()`), and kill what is left.

    Returns the services that had to be killed.
    """
    asked = clock()
    for service in services:
        service.ask_to_end()
    killed = []
    while running := [service for service in services if service.running]:
        for service in running:
            if in_a_hurry() or clock() - asked >= service.patience:
                service.kill()
                killed.append(service)
        pause(0.05)
    return killed


def describe_exit(status: int | None) -> str:
    """`exit status 1`, `killed by SIGKILL`."""
    if status is not None and status < 0:
        try:
            return f"killed by {signal.Signals(-status).name}"
        except ValueError:
            return f"killed by signal {-status}"
    return f"exit status {status}"
