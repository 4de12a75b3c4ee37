"""Who owns a job or the worker's place: process identities that survive the reuse of process numbers."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import psutil


def _started(pid: int) -> str:
    """A mark of when a process began. Raises psutil.NoSuchProcess when there is none.

    On Linux it is counted from the boot, because a start time of day moves whenever the machine's clock is set.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()  # behind the name, see proc(5)
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
        return f"{boot}-{fields[19]}"
    except OSError:
        return f"{psutil.Process(pid).create_time():.2f}"


def identity(pid: int | None = None) -> str:
    """`host:pid:start` of a process (this one by default). Raises psutil.NoSuchProcess when it is gone."""
    number = psutil.Process(pid).pid
    return f"{socket.gethostname()}:{number}:{_started(number)}"


def is_alive(owner: str) -> bool | None:
    """Whether the process with this identity runs here; None when it is on another machine and cannot be asked."""
    return runs_here(owner) if owner.rsplit(":", 2)[0] == socket.gethostname() else None


def runs_here(owner: str) -> bool:
    """Whether a process that is known to be one of this machine runs, whatever the machine is called by now.

    A laptop may get another name with each network: its processes are not gone then.
    """
    _, pid, started = owner.rsplit(":", 2)
    try:
        process = psutil.Process(int(pid))
        return _started(process.pid) == started and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def alive_worker(state: Path) -> str | None:
    """Identity of the worker that runs on this storage (`state` is its state folder), or None."""
    try:
        owner = str(json.loads((state / "worker.json").read_text())["owner"])
    except (OSError, ValueError, KeyError):
        return None
    return owner if is_alive(owner) is not False else None
