"""Processes of further devices, and those that read an export again, that begin at once: forked from one that has imported the
libraries already and has done nothing with them.

What they do is `core.training.follower` and `core.training.reread`, as when the product starts them; only the seconds of
importing are saved.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from multiprocessing.context import ForkServerProcess
from multiprocessing.reduction import DupFd
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from core.training import parity, ranks

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["core.training.train", "core.training.follower", "core.training.reread", "settled"])


def _follow(pipe: Any, variables: dict[str, str], folder: str, part: str, before: str) -> None:
    from core.training import follower

    os.dup2(pipe.detach(), 0)
    os.environ.update(variables)
    sys.argv = ["follower", folder, part]
    exec(before, {})
    follower.main()


def _read_again(pipe: Any, said: Any) -> None:
    from core.training import reread

    os.dup2(pipe.detach(), 0)
    log = said.detach()
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    reread.main()


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


def _begun(target: Callable[..., None], *arguments: Any) -> _Process:
    """`target` in a process of its own. Its first argument is the pipe that is to be its input."""
    ours, theirs = os.pipe()
    process = CONTEXT.Process(target=target, args=(DupFd(ours), *arguments))
    with pytest.MonkeyPatch.context() as patch:  # else it runs what a test of a screen has left as the main program
        patch.setitem(sys.modules, "__main__", ModuleType("__main__"))
        process.start()
    os.close(ours)
    return _Process(process, theirs)


def started(before: str = "") -> Any:
    """A stand-in for `ranks._started`; each process runs the code `before` first."""

    def start(folder: Path, number: int, where: Mapping[str, str], part: str) -> _Process:
        variables = {**where, "RANK": str(number), "LOCAL_RANK": str(number)}
        return _begun(_follow, variables, str(folder), part, before)

    return start


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks, "_started", started())


@pytest.fixture
def ready_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parity, "_started", lambda said: _begun(_read_again, DupFd(said.fileno())))
