"""Who owns a job or the worker's place: process identities that survive the reuse of process numbers."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import psutil


def identity(pid: int | None = None) -> str:
    """`host:pid:start time` of a process (this one by default)."""
    process = psutil.Process(pid)
    return f"{socket.gethostname()}:{process.pid}:{process.create_time():.2f}"


def is_alive(owner: str) -> bool | None:
    """Whether the process with this identity runs here; None when it is on another machine and cannot be asked."""
    host, pid, started = owner.rsplit(":", 2)
    if host != socket.gethostname():
        return None
    try:
        process = psutil.Process(int(pid))
        return abs(process.create_time() - float(started)) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def alive_worker(state: Path) -> str | None:
    """Identity of the worker that runs on this storage (`state` is its state folder), or None."""
    try:
        owner = str(json.loads((state / "worker.json").read_text())["owner"])
    except (OSError, ValueError, KeyError):
        return None
    return owner if is_alive(owner) is not False else None
