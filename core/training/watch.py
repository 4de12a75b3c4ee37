"""Watches the processes of the other devices: where one dies, nobody waits for it until a library's own limit is over."""

from __future__ import annotations

import logging
import os
import subprocess
import threading
from collections.abc import Sequence

from torch.distributed import distributed_c10d

log = logging.getLogger(__name__)
TO_NOTICE = 5.0  # seconds in which rank 0 may find out by itself (over gloo at once, over NCCL after minutes)
TO_BREAK_OFF = 60.0  # seconds in which it has to be out of what it waits for


class Watch:
    """Over the processes that rank 0 started. `broken` says that one of them ended with an error while it was needed."""

    def __init__(self, processes: Sequence[subprocess.Popen[bytes]]) -> None:
        self.broken = False
        self._over = threading.Event()
        for process in processes:
            threading.Thread(target=self._follow, args=(process,), daemon=True).start()

    def end(self) -> None:
        """Nothing is waited for any more."""
        self._over.set()

    def _follow(self, process: subprocess.Popen[bytes]) -> None:
        if process.wait() == 0 or self._over.is_set():
            return
        self.broken = True
        if self._over.wait(TO_NOTICE):
            return
        log.warning("process %s of another device ended with status %s", process.pid, process.returncode)
        break_off()
        if self._over.wait(TO_BREAK_OFF):
            return
        log.error(
            "it cannot be broken off: this process ends, and goes on from its newest checkpoint when it is started"
        )
        logging.shutdown()
        os._exit(1)


def break_off() -> None:
    """End whatever the processes exchange now; what they exchange later fails at once. The groups themselves stay, so that
    this process does not take itself for one that trains alone."""
    for group in list(distributed_c10d._world.pg_map):
        try:
            group.abort()
        except RuntimeError as error:  # of a kind that cannot, or through with it
            log.warning("a group was not broken off: %s", error)
