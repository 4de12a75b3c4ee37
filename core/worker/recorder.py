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
from core.schemas.recorder import Interrupted
from core.store import curves, jobs
from core.store.changes import Changes
from core.store.engine import DatabaseBusy, is_full, is_locked, write
from core.store.tables import Checkpoint, RunEvent

log = logging.getLogger(__name__)
FLUSH_SECONDS = 0.5
MOST_SHARE = 0.002  # of this process's processor time that writing may take
LEAST_BUSY = 0.1  # processors; a process that waits all the time has nothing that could be slowed down
MOST_PAUSE_SECONDS = 3.0
FULL_DISK_SECONDS = 1.0  # between two tries to write to a full disk
FENCED_OUT = 76  # exit status of a process that lost its job to another


def leave() -> None:
    """End this process at once, writing nothing more: another worker owns its job."""
    os._exit(FENCED_OUT)


def pause_after(spent: float, busy: float) -> float:
    """Seconds until the next batch, after one that took `spent` seconds of processor time in a process that gets `busy`
    seconds of it in each second: so that batches stay below MOST_SHARE of the work, however slow or shared the machine
    is, but a heartbeat never comes late."""
    return min(MOST_PAUSE_SECONDS, max(FLUSH_SECONDS, spent / (MOST_SHARE * max(LEAST_BUSY, busy))))


def until_written(write_it: Callable[[], None], pause: Callable[[float], None] = time.sleep) -> None:
    """Do it again until the database is no longer locked and its disk not full: a wait, never a loss.

    A try on a locked database waits the busy timeout; on a full disk it fails at once, so `pause` comes before the next.
    """
    while True:
        try:
            return write_it()
        except DatabaseBusy as error:
            if is_full(error):
                pause(FULL_DISK_SECONDS)
            elif not is_locked(error):
                raise
            log.warning("the database did not answer, trying again: %s", error.orig)


class JobRecorder:
    """Implements `core.schemas.recorder.Recorder` for one job; `run_id` only for a training.

    Every transaction proves with the fencing token that the job is still ours. While the database is locked the queue
    grows and nothing is lost. A failure in the background is raised in the work itself, at its next call.
    """

    def __init__(self, job_id: str, fence: int, run_id: str | None, lost: Callable[[], None] = leave) -> None:
        self.job_id, self.fence, self.run_id, self.lost = job_id, fence, run_id, lost
        self._queue = threading.Lock()
        self._batch = threading.Lock()  # one at a time: when `flush` returns, nothing is still on its way
        self._points: list[curves.Point] = []
        self._events: list[dict[str, Any]] = []
        self._phase: tuple[str, float, float] = ("Starting", 0.0, 0.0)
        self._wish = Desired.RUN
        self._failure: Exception | None = None
        self.cpu_seconds = 0.0  # that the background thread has taken
        self._shutdown = threading.Event()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="recorder", daemon=True)

    def start(self) -> None:
        """Learn what is wanted, then go on in the background."""
        until_written(self.flush)
        self._thread.start()

    def close(self) -> None:
        """Stop the thread and write what is queued. Raises what went wrong in the background."""
        self._end.set()
        self._thread.join()
        until_written(self.flush)

    def shut_down(self) -> None:
        """Called by the signal handler: only sets a flag."""
        self._shutdown.set()

    def phase(self, name: str, done: float = 0, total: float = 0) -> None:
        self._phase = (name, float(done), float(total))

    def metrics(self, split: str, step: int, epoch: float, values: Mapping[str, float]) -> None:
        run_id, now = self._run(), time.time()
        made = [
            curves.Point(run_id, name, split, step, epoch, value if math.isfinite(value) else None, now)
            for name, value in values.items()
        ]
        with self._queue:
            self._points += made

    def event(self, kind: str, step: int, title: str, text: str = "", data: Mapping[str, Any] | None = None) -> None:
        made = {"run_id": self._run(), "kind": kind, "step": step, "title": title, "text": text}
        with self._queue:
            self._events.append({**made, "data": dict(data or {}), "at": time.time()})

    def checkpoint(self, step: int, folder: str, metric: float | None) -> None:
        row = {"run_id": self._run(), "step": step, "folder": folder, "metric": metric, "at": time.time()}

        def write_it() -> None:
            with write() as session:
                self._own(session)
                session.merge(Checkpoint(**row))
                jobs.progressed(session, self.job_id, self.fence)

        self._raise_failure()
        until_written(self.flush)
        until_written(write_it)

    def forget_checkpoint(self, step: int) -> None:
        def write_it() -> None:
            with write() as session:
                self._own(session)
                row = session.get(Checkpoint, (self._run(), step))
                if row is not None:
                    session.delete(row)

        self._raise_failure()
        until_written(write_it)

    def pinned(self) -> set[int]:
        found: set[int] = set()
        until_written(lambda: found.update(c.step for c in curves.checkpoints(self._run()) if c.pinned))
        return found

    def rewind(self, beyond: int) -> None:
        """Forget what was recorded beyond this step: the run goes on from there and will write it again."""

        def write_it() -> None:
            with write() as session:
                self._own(session)
                curves.truncate(session, self._run(), beyond)

        until_written(write_it)

    def wish(self) -> Desired:
        if self._failure is not None:
            raise self._failure
        return self._wish

    def shutting_down(self) -> bool:
        return self._shutdown.is_set()

    def obey(self) -> None:
        """Stop here if the worker ends (the work is done again later) or somebody asked for it."""
        if self.shutting_down():
            raise Interrupted(Desired.PAUSE)
        if self.wish() is not Desired.RUN:
            raise Interrupted(Desired.CANCEL)

    def guard(self) -> None:
        """Also writes what is queued: a checkpoint must not get its name before the points that lead to it are safe."""
        self._raise_failure()
        until_written(self.flush)

    def deliver(self, store: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
        """Store what the work made, and the job's result that `store` returns, in one transaction that proves ownership.

        After a kill there are both or neither, so that nothing is stored twice when the job is claimed again. `store` is
        called anew where the database was locked; what takes long has to be done before.
        """
        delivered: dict[str, Any] = {}

        def write_it() -> None:
            with write() as session:
                self._own(session)
                delivered.update(store())
                jobs.check(session, self.job_id, self.fence).result = delivered

        self._raise_failure()
        until_written(write_it)
        return delivered

    def flush(self) -> None:
        """One transaction: heartbeat, queued points and events. Where it fails they stay queued, and the error is raised."""
        with self._batch:
            with self._queue:
                points, events = self._points, self._events
                self._points, self._events = [], []
            try:
                with write() as session:
                    try:
                        wish = jobs.heartbeat(session, self.job_id, self.fence, *self._phase)
                    except jobs.FencedOut:
                        session.rollback()
                        self.lost()
                        raise
                    curves.append(session, points)
                    session.add_all([RunEvent(**event) for event in events])
            except Exception:
                with self._queue:
                    self._points, self._events = points + self._points, events + self._events
                raise
            self._wish = wish

    def _run(self) -> str:
        if self.run_id is None:
            raise ValueError("only a training has curves, events and checkpoints")
        return self.run_id

    def _own(self, session: Any) -> None:
        try:
            jobs.check(session, self.job_id, self.fence)
        except jobs.FencedOut:
            session.rollback()
            self.lost()
            raise

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _look(self, changes: Changes) -> None:
        """Learn what is wanted, between two batches: reading costs a fraction of writing, so that it has a pace of its own."""
        if not changes.any():
            return
        try:
            self._wish = jobs.desired(self.job_id) or self._wish
        except DatabaseBusy as error:
            changes.forget()
            if not is_locked(error):
                raise

    def _loop(self) -> None:
        changes = Changes()  # its connection belongs to this thread
        try:
            self._watch(changes)
        finally:
            changes.close()

    def _watch(self, changes: Changes) -> None:
        pause, then = FLUSH_SECONDS, (time.monotonic(), time.process_time())
        while not self._end.wait(FLUSH_SECONDS):
            try:
                if time.monotonic() - then[0] + FLUSH_SECONDS / 2 < pause:
                    self._look(changes)
                    self.cpu_seconds = time.thread_time()
                    continue
                before = time.thread_time()
                until_written(self.flush)
            except jobs.FencedOut:
                return
            except Exception as error:
                log.exception("nothing can be recorded any more")
                self._failure = error
                return
            self.cpu_seconds = time.thread_time()
            last, then = then, (time.monotonic(), time.process_time())
            busy = (then[1] - last[1]) / max(1e-6, then[0] - last[0])
            pause = pause_after(self.cpu_seconds - before, busy)
