"""The worker process: `python -m core worker`."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

import psutil

from core.schemas.errors import UserError
from core.store.deleting import carry_out
from core.store.engine import DatabaseBusy
from core.store.files import folder
from core.store.job_tokens import forget_tokens
from core.store.leftovers import sweep_leftovers
from core.store.migrate import migrate
from core.store.owners import identity, runs_here
from core.store.token_caches import sweep_token_caches

from .lock import SingleWorker
from .starting import JobStarter
from .supervisor import Supervisor

log = logging.getLogger("core.worker")
POLL_SECONDS = 0.4
TIDY_SECONDS = 60.0


class Tidying:
    """Puts the storage folder right when the worker starts and once a minute: deletions that were begun, leftovers,
    encoded rows that nobody needs."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._next = clock, clock()

    def tick(self) -> None:
        if self._clock() < self._next:
            return
        self._next = self._clock() + TIDY_SECONDS
        try:
            carry_out()
            sweep_leftovers()
            sweep_token_caches()
            forget_tokens()
        except OSError:
            log.exception("the storage folder could not be tidied; the next try is in a minute")


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
            starter = JobStarter()
            supervisor = Supervisor(starter)
            tidying = Tidying()
            log.info("worker %s is ready", supervisor.me)
            while not ending.wait(POLL_SECONDS) and (parent is None or runs_here(parent)):
                try:
                    supervisor.tick()
                    tidying.tick()
                    starter.tick(busy=bool(supervisor.children))
                except DatabaseBusy as error:
                    log.warning("the database did not answer: %s", error.orig)
            log.info("ending: %d running jobs save their state", len(supervisor.children))
            supervisor.shut_down()
            starter.close()
    except UserError as error:
        log.warning("%s", error)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
