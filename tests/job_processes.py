"""The processes of jobs below a worker: started anew, or forked by its fork server, which is no job itself."""

from __future__ import annotations

import psutil

ANEW, SERVER = "core.worker.child", "core.worker.fork_server"


def job_processes(worker: int) -> list[psutil.Process]:
    """Those that run below the worker with this number."""
    found = []
    for process in psutil.Process(worker).children(recursive=True):
        try:
            words = process.cmdline()  # empty where it has ended
            if ANEW in words or (SERVER in words and process.ppid() != worker):
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return [each for each in found if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


def fork_server(worker: int) -> psutil.Process | None:
    """The fork server of the worker with this number, where it has one."""
    return next((each for each in psutil.Process(worker).children() if SERVER in each.cmdline()), None)
