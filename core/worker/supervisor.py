"""The worker: claims jobs, starts one child process for each, and puts right what a crash left behind."""

from __future__ import annotations

import logging
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from core.schemas.errors import DiskFull, is_disk_full
from core.schemas.jobs import LANES, Desired, Job
from core.store import jobs
from core.store.config import storage_root
from core.store.owners import identity, is_alive

from . import gave_up
from .processes import end_group, stop_tree
from .starting import Started

log = logging.getLogger(__name__)
LEASE_SECONDS = 30.0
MOST_ATTEMPTS = 3
CHECKPOINT_GRACE_SECONDS = 55.0
CANCEL_GRACE_SECONDS = 8.0
SPACE_LOOK_SECONDS = 5.0
SPACE_NEEDED = 500 * 10**6  # bytes that must have become free since a job met a full disk; the error says so too


@dataclass
class Child:
    job: Job
    fence: int
    process: Started
    cancelled: float | None = None  # when we saw that it is to end without a result


@dataclass
class Supervisor:
    """Loop state. `clock` is monotonic and injectable: lease expiry never depends on the time of day."""

    start_child: Callable[[Job, int, str], Started]
    clock: Callable[[], float] = time.monotonic
    me: str = field(default_factory=identity)
    children: dict[str, Child] = field(default_factory=dict)
    seen: dict[str, tuple[int, int, float]] = field(default_factory=dict)  # job: fence, beat, when it last moved
    free_space: Callable[[], int] = lambda: shutil.disk_usage(storage_root()).free
    looked: float | None = None  # when space was last looked for

    def tick(self) -> None:
        """One round: reap, cancel, reconcile, release, claim."""
        self.reap()
        self.cancel()
        self.reconcile()
        self.release()
        for lane, kinds in LANES.items():
            if lane not in self.children and (claimed := jobs.claim(kinds, self.me)):
                job, fence = claimed
                log.info("starting %s job %s, attempt %d", job.kind.value, job.id, job.attempt)
                try:
                    child = Child(job, fence, self.start_child(job, fence, self.me))
                    self.children[lane] = child
                    if child.process.pid is None:
                        jobs.waits(job.id, fence, "Starting the training engine")
                except OSError as error:  # no memory for a process, or no space for its log
                    log.exception("the process of job %s did not start", job.id)
                    if is_disk_full(error):
                        jobs.hold(job.id, fence, {**DiskFull().as_dict(), "free": self.free_space()})
                    else:
                        self.give_back(job.id, fence, None)

    def reap(self) -> None:
        """A child that ended without writing an end was killed: its job is queued again, or fails with the reason."""
        for lane, child in list(self.children.items()):
            status = child.process.poll()
            if status is None:
                continue
            del self.children[lane]
            end_group(child.process.pid)
            log.info("%s job %s ended with status %s", child.job.kind.value, child.job.id, status)
            self.give_back(child.job.id, child.fence, status)

    def cancel(self) -> None:
        """End a cancelled job that does not end by itself: one that reads a huge file, or one in a long step."""
        for child in self.children.values():
            job = jobs.get(child.job.id)
            if job is None or job.desired is not Desired.CANCEL:
                continue
            if child.cancelled is None:
                child.cancelled = self.clock()
            if self.clock() - child.cancelled > CANCEL_GRACE_SECONDS:
                log.warning("%s job %s does not end by itself", job.kind.value, job.id)
                stop_tree(child.process.pid, grace=1)

    def release(self) -> None:
        """Let jobs go on that met a full disk, when there is space again.

        Measured against what was free when they stopped: a job that failed with plenty of small free space would else be
        started over and over.
        """
        now = self.clock()
        if self.looked is not None and now - self.looked < SPACE_LOOK_SECONDS:
            return
        self.looked = now
        for job in jobs.held(DiskFull.ACTION):
            if self.free_space() >= (job.error or {}).get("free", 0) + SPACE_NEEDED:
                log.info("there is space again: job %s goes on", job.id)
                jobs.release(job.id)

    def give_back(self, job_id: str, fence: int, status: int | None) -> None:
        job = jobs.get(job_id)
        error = None
        if job is not None and job.attempt >= MOST_ATTEMPTS:
            error = gave_up.error(job.kind, status, job.attempt)
        jobs.reclaim(job_id, fence, error=error)

    def reconcile(self) -> None:
        """Take back running jobs whose owner is gone: a dead process of this machine at once, else after a lease."""
        now = self.clock()
        mine = {child.job.id for child in self.children.values()}
        for job_id, owner, fence, beat in jobs.running():
            if job_id in mine:
                continue
            alive = is_alive(owner) if owner else False
            last = self.seen.get(job_id)
            if last is None or last[:2] != (fence, beat):
                self.seen[job_id] = (fence, beat, now)
                expired = False
            else:
                expired = now - last[2] > LEASE_SECONDS
            # Our own identity without a child of ours: a leftover of this very process.
            if alive is False or owner == self.me or expired:
                log.warning("taking back job %s from %s", job_id, owner)
                self.give_back(job_id, fence, None)
                self.seen.pop(job_id, None)

    def shut_down(self) -> None:
        """Ask all children to save and leave; insist after a grace period. Their jobs go on at the next start."""
        for child in self.children.values():
            child.process.terminate()
        deadline = time.monotonic() + CHECKPOINT_GRACE_SECONDS
        for child in self.children.values():
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                stop_tree(child.process.pid, grace=1)
            end_group(child.process.pid)
            jobs.reclaim(child.job.id, child.fence, error=None, forgiven=True)
        self.children.clear()
