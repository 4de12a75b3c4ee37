"""How the process of a job begins: anew, or by a fork of a process that has imported the libraries already."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Protocol

import psutil

from core.schemas.jobs import LANES, Job, JobKind
from core.store.config import PROJECT_ROOT
from core.store.files import job_log

from .forked import ForkServer
from .processes import apart, thread_variables

log = logging.getLogger(__name__)
WITH_TORCH = frozenset({*LANES["compute"], JobKind.SERVE})
WARM_AFTER_SECONDS = 20.0  # of rest, so that it does not compete with the start of the dashboard
COLD_AFTER_SECONDS = 1800.0  # of rest: then the memory is somebody else's
MEMORY_NEEDED = 3 * 10**9  # bytes that are free before the libraries are held ready (about 0.6 GB)
MOST_FAILURES = 2
DEVICES = ("nvidia[0-9]*", "kfd", "dxg")  # of cards, below /dev: CUDA does not survive a fork


class Started(Protocol):
    """What the supervisor needs of a job's process, as of `subprocess.Popen`."""

    @property
    def pid(self) -> int | None: ...

    def poll(self) -> int | None: ...

    def wait(self, timeout: float) -> int: ...

    def terminate(self) -> None: ...


def job_variables() -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TRANSFORMERS_VERBOSITY": "warning",
        **thread_variables(),
    }


def start_anew(arguments: Sequence[str], output: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "core.worker.child", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd=PROJECT_ROOT,
        env=job_variables(),
        **apart(),
    )


def may_fork() -> bool:
    """Whether jobs may be forked from a process that has torch imported: Linux, no card, room in memory, not switched off."""
    if sys.platform != "linux" or os.environ.get("TUNEWELL_WARM", "1") == "0":
        return False
    if any(found for name in DEVICES for found in Path("/dev").glob(name)):
        return False
    return psutil.virtual_memory().available > MEMORY_NEEDED


class JobStarter:
    """Starts jobs' processes, and keeps a fork server ready while one is likely to be needed.

    A job that needs torch begins the server where there is none, and is its first fork: it waits for the same imports as
    anew. Other jobs never wait for it. `clock` is monotonic.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        possible: Callable[[], bool] = may_fork,
        begin: Callable[[], ForkServer] = lambda: ForkServer(job_variables()),
    ) -> None:
        self._clock, self._possible, self._begin = clock, possible, begin
        self._server: ForkServer | None = None
        self._used = clock()
        self._failures = 0

    def __call__(self, job: Job, fence: int, me: str) -> Started:
        """Its output goes to a log file, never to a pipe that could fill up. Raises OSError."""
        self._used = self._clock()
        arguments = (job.id, str(fence), me)
        with open(job_log(job.id), "ab") as output:
            server = self._look() or (self._warm() if job.kind in WITH_TORCH else None)
            if server is not None and (server.ready or job.kind in WITH_TORCH):
                try:
                    return server.fork(arguments, output)
                except OSError:
                    log.exception("the fork server does not answer: the job's process starts anew")
                    self._drop()
            return start_anew(arguments, output)

    def tick(self, busy: bool) -> None:
        """Begin the server after a short rest, end it after a long one; `busy` says whether a job runs."""
        now = self._clock()
        if busy:
            self._used = now
        server, rest = self._look(), now - self._used
        if server is None and WARM_AFTER_SECONDS <= rest < COLD_AFTER_SECONDS:
            self._warm()
        elif server is not None and rest >= COLD_AFTER_SECONDS:
            self.close()

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def _look(self) -> ForkServer | None:
        if self._server is not None:
            self._server.listen()
            if self._server.gone:
                log.warning("the fork server ended unexpectedly")
                self._drop()
        return self._server

    def _drop(self) -> None:
        self._failures += 1
        self.close()

    def _warm(self) -> ForkServer | None:
        if self._failures < MOST_FAILURES and self._possible():
            try:
                self._server = self._begin()
            except OSError:  # no memory for a process
                log.exception("the fork server did not start")
                self._failures += 1
        return self._server
