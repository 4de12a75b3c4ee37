"""The recorder of a child process: queues what happens, writes it in batches, and learns what is wanted."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from core.schemas.jobs import Desired
from core.store import curves, jobs
from core.store.engine import DatabaseBusy, write
from core.store.tables import Checkpoint, RunEvent

log = logging.getLogger(__name__)
FLUSH_SECONDS = 0.5
FENCED_OUT = 76  # exit status of a process that lost its job to another


def leave() -> None:
    """End this process at once, writing nothing more: another worker owns its job."""
    os._exit(FENCED_OUT)


class JobRecorder:
    """Implements `core.schemas.recorder.Recorder` for one job; `run_id` only for a training.

    Every transaction proves with the fencing token that the job is still ours. While the database is locked the queue
    grows and nothing is lost.
    """

    def __init__(self, job_id: str, fence: int, run_id: str | None, lost: Callable[[], None] = leave) -> None:
        self.job_id, self.fence, self.run_id, self.lost = job_id, fence, run_id, lost
        self._lock = threading.Lock()
        self._points: list[curves.Point] = []
        self._rows: list[RunEvent | Checkpoint] = []
        self._phase: tuple[str, float, float] = ("Starting", 0.0, 0.0)
        self._wish = Desired.RUN
        self._shutdown = threading.Event()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="recorder", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Write what is queued and stop the thread."""
        self._end.set()
        self._thread.join()
        self.flush()

    def shut_down(self) -> None:
        """Called by the signal handler: only sets a flag."""
        self._shutdown.set()

    def phase(self, name: str, done: float = 0, total: float = 0) -> None:
        self._phase = (name, float(done), float(total))

    def metrics(self, split: str, step: int, epoch: float, values: Mapping[str, float]) -> None:
        if self.run_id is None:
            raise ValueError("only a training has curves")
        now = time.time()
        made = [
            curves.Point(self.run_id, name, split, step, epoch, value if math.isfinite(value) else None, now)
            for name, value in values.items()
        ]
        with self._lock:
            self._points += made

    def event(self, kind: str, step: int, title: str, text: str = "", data: Mapping[str, Any] | None = None) -> None:
        if self.run_id is None:
            raise ValueError("only a training has events")
        row = RunEvent(
            run_id=self.run_id, kind=kind, step=step, title=title, text=text, data=dict(data or {}), at=time.time()
        )
        with self._lock:
            self._rows.append(row)

    def checkpoint(self, step: int, folder: str, metric: float | None) -> None:
        if self.run_id is None:
            raise ValueError("only a training has checkpoints")
        self.flush()
        with write() as session:
            self._own(session)
            session.merge(Checkpoint(run_id=self.run_id, step=step, folder=folder, metric=metric, at=time.time()))
        jobs.progressed(self.job_id)

    def forget_checkpoint(self, step: int) -> None:
        with write() as session:
            self._own(session)
            row = session.get(Checkpoint, (self.run_id, step))
            if row is not None:
                session.delete(row)

    def wish(self) -> Desired:
        return self._wish

    def shutting_down(self) -> bool:
        return self._shutdown.is_set()

    def guard(self) -> None:
        with write() as session:
            self._own(session)

    def _own(self, session: Any) -> None:
        try:
            jobs.check(session, self.job_id, self.fence)
        except jobs.FencedOut:
            session.rollback()
            self.lost()
            raise

    def flush(self) -> None:
        """One transaction: heartbeat, queued points and events. On a locked database everything stays queued."""
        with self._lock:
            points, rows = self._points, self._rows
            self._points, self._rows = [], []
        try:
            with write() as session:
                self._own(session)
                self._wish = jobs.heartbeat(session, self.job_id, self.fence, *self._phase)
                curves.append(session, points)
                session.add_all(rows)
        except DatabaseBusy as error:
            log.warning("the database did not answer, trying again: %s", error.orig)
            with self._lock:
                self._points, self._rows = points + self._points, rows + self._rows

    def _loop(self) -> None:
        while not self._end.wait(FLUSH_SECONDS):
            try:
                self.flush()
            except jobs.FencedOut:
                return
