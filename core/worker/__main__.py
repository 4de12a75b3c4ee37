"""The worker process: `python -m core worker`."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading

import psutil

from core.schemas.errors import UserError
from core.store.engine import DatabaseBusy
from core.store.files import folder
from core.store.migrate import migrate
from core.store.owners import identity, is_alive

from .lock import SingleWorker
from .supervisor import Supervisor, start_child

log = logging.getLogger("core.worker")
POLL_SECONDS = 0.4


def main() -> int:
    """Run until SIGTERM, SIGINT or the end of the process that started us (TUNEWELL_PARENT_PID)."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stdout)
    ending = threading.Event()
    for name in ("SIGTERM", "SIGINT"):
        signal.signal(getattr(signal, name), lambda *_: ending.set())
    parent_pid = os.environ.get("TUNEWELL_PARENT_PID")
    try:
        parent = identity(int(parent_pid)) if parent_pid else None
    except psutil.NoSuchProcess:
        return 0  # it ended before we began
    migrate()
    try:
        with SingleWorker(folder("state")):
            supervisor = Supervisor(start_child)
            log.info("worker %s is ready", supervisor.me)
            while not ending.wait(POLL_SECONDS) and (parent is None or is_alive(parent)):
                try:
                    supervisor.tick()
                except DatabaseBusy as error:
                    log.warning("the database did not answer: %s", error.orig)
            log.info("ending: %d running jobs save their state", len(supervisor.children))
            supervisor.shut_down()
    except UserError as error:
        log.warning("%s", error)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
