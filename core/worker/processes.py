"""Children that die with their parent, and processes that end with all their descendants."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

import psutil

from core.store.owners import is_alive


def watch_parent(parent: str, gone: Callable[[], None], every: float = 0.5) -> None:
    """Call `gone` (from a daemon thread) as soon as the process `parent` is no longer there."""

    def watch() -> None:
        while is_alive(parent):
            time.sleep(every)
        gone()

    threading.Thread(target=watch, name="parent watch", daemon=True).start()


def end_at_once() -> None:
    os._exit(1)


def stop_tree(pid: int, grace: float) -> None:
    """End a process and all its descendants: ask first, insist after `grace` seconds."""
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
