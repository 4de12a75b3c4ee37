"""Children that die with their parent, and processes that end with all their descendants."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psutil

from core.store.owners import runs_here

MOST_THREADS = 16  # more do not make a step of a small model quicker


def threads() -> int:
    """How many processor threads a job computes with: TUNEWELL_THREADS, else the real cores that it may use, at most 16."""
    said = os.environ.get("TUNEWELL_THREADS", "")
    if said.isdecimal() and int(said) > 0:
        return int(said)
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(allowed, psutil.cpu_count(logical=False) or allowed, MOST_THREADS))


def thread_variables() -> dict[str, str]:
    """Environment of a job's process. Threads that wait for one another sleep instead of spinning.

    Spinning costs nothing on an idle machine, but beside other work a step then takes several times as long, because the
    thread that is waited for has no core to run on (benchmarks/threads.py). What the person has set is left alone.
    """
    wanted = {
        "OMP_NUM_THREADS": str(threads()),
        "OMP_WAIT_POLICY": "passive",
        "GOMP_SPINCOUNT": "0",
        "KMP_BLOCKTIME": "0",
    }
    return {name: os.environ.get(name, value) for name, value in wanted.items()}


def watch_parent(parent: str, gone: Callable[[], None], every: float = 0.5) -> None:
    """Call `gone` (from a daemon thread) as soon as the process `parent` is no longer there."""

    def watch() -> None:
        while runs_here(parent):
            time.sleep(every)
        gone()

    threading.Thread(target=watch, name="parent watch", daemon=True).start()


def apart() -> dict[str, Any]:
    """Arguments of `Popen` that put a process and all that it starts into a group of their own, where there are groups."""
    return {"process_group": 0} if os.name == "posix" else {}


def end_group(pid: int | None) -> None:
    """End what a process that was started `apart`, and has ended, left behind: its loaders, however they were started.

    A process without a number never began.
    """
    if os.name == "posix" and pid is not None:
        with suppress(ProcessLookupError, PermissionError):  # nothing was left; or the number is somebody else's by now
            os.killpg(pid, signal.SIGKILL)


def end_at_once() -> None:
    """End this process, and with it all that it started, where it has a group of its own."""
    if os.name == "posix" and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def stop_tree(pid: int | None, grace: float) -> None:
    """End a process and all its descendants: ask first, insist after `grace` seconds. Without a number it has not begun."""
    if pid is None:
        return
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for member in family:
        try:
            member.terminate()
        except psutil.NoSuchProcess:
            continue
    _, alive = psutil.wait_procs(family, timeout=grace)
    for member in alive:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
