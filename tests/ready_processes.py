"""Processes of further devices that begin at once: forked from one that has imported the libraries already.

What they do is `core.training.follower`, as when `ranks` starts them; only the seconds of importing are saved.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from multiprocessing.reduction import DupFd
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from core.training import ranks

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["core.training.train", "core.training.follower"])


def _follow(pipe: Any, variables: dict[str, str], folder: str, part: str, before: str) -> None:
    from core.training import follower

    os.dup2(pipe.detach(), 0)
    os.environ.update(variables)
    sys.argv = ["follower", folder, part]
    exec(before, {})
    follower.main()


class _Process:
    """What `ranks` uses of subprocess.Popen."""

    def __init__(self, process: ForkServerProcess, pipe: int) -> None:
        self.process, self.stdin = process, os.fdopen(pipe, "wb")
        self.pid = process.pid

    @property
    def returncode(self) -> int | None:
        return self.process.exitcode

    def poll(self) -> int | None:
        return self.process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        multiprocessing.connection.wait([self.process.sentinel], timeout)
        if self.process.exitcode is None:
            raise subprocess.TimeoutExpired("follower", timeout or 0)
        return self.process.exitcode

    def kill(self) -> None:
        self.process.kill()


def started(before: str = "") -> Any:
    """A stand-in for `ranks._started`; each process runs the code `before` first."""

    def start(folder: Path, number: int, where: Mapping[str, str], part: str) -> _Process:
        ours, theirs = os.pipe()
        variables = {**where, "RANK": str(number), "LOCAL_RANK": str(number)}
        process = CONTEXT.Process(target=_follow, args=(DupFd(ours), variables, str(folder), part, before))
        with pytest.MonkeyPatch.context() as patch:  # else it runs what a test of a screen has left as the main program
            patch.setitem(sys.modules, "__main__", ModuleType("__main__"))
            process.start()
        os.close(ours)
        return _Process(process, theirs)

    return start


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks, "_started", started())
