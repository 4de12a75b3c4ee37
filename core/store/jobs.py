"""The job queue: claim with a fencing token, heartbeat, finish. Every write of a worker proves that it owns the job.

Ownership does not depend on the clock: `beat` grows with each heartbeat, and a watcher counts a lease as expired when
it has not seen `beat` move for a while on its own monotonic clock.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from core.schemas.jobs import Desired, JobKind, JobState
from core.schemas.jobs import Job as JobView

from .engine import proving, read, write
from .tables import Job

# Where unfinished work goes, by what is wanted. A stopped training is claimed once more, to keep its best checkpoint.
_HANDED_BACK = {
    Desired.RUN: JobState.QUEUED,
    Desired.STOP: JobState.QUEUED,
    Desired.PAUSE: JobState.PAUSED,
    Desired.CANCEL: JobState.STOPPED,
}


_ORDER = (Job.priority.desc(), Job.position, Job.created_at)


class FencedOut(Exception):
    """Another worker owns this job now. The process that sees this must end at once."""


def view(row: Job) -> JobView:
    fields = {name: getattr(row, name) for name in JobView.model_fields}
    return JobView.model_validate(fields)


def submit(
    kind: JobKind,
    project_id: str | None,
    payload: dict[str, Any],
    priority: int = 0,
    prepare: Callable[[str], None] | None = None,
) -> str:
    """Add a job to the queue and return its id. `prepare` is called with it before any worker can see the job."""
    with write() as session:
        row = Job(kind=kind.value, project_id=project_id, payload=payload, priority=priority)
        session.add(row)
        session.flush()
        if prepare is not None:
            prepare(row.id)
        return row.id


def get(job_id: str) -> JobView | None:
    with read() as session:
        row = session.get(Job, job_id)
        return view(row) if row else None


def find(
    *, project_id: str | None = None, kinds: Iterable[JobKind] = (), states: Iterable[JobState] = ()
) -> list[JobView]:
    """Jobs, newest first; each given condition narrows the list."""
    query = select(Job).order_by(Job.created_at.desc())
    if project_id is not None:
        query = query.where(Job.project_id == project_id)
    if chosen := [k.value for k in kinds]:
        query = query.where(Job.kind.in_(chosen))
    if wanted := [s.value for s in states]:
        query = query.where(Job.state.in_(wanted))
    with read() as session:
        return [view(row) for row in session.scalars(query)]


def claim(kinds: Iterable[JobKind], owner: str) -> tuple[JobView, int] | None:
    """Take the next queued job of these kinds. Returns it with its fencing token, or None when there is none."""
    query = (
        select(Job)
        .where(Job.state == JobState.QUEUED.value, Job.kind.in_([k.value for k in kinds]))
        .order_by(*_ORDER)
        .limit(1)
    )
    with read() as session:  # most polls find nothing: do not take the write lock for that
        if session.scalar(query) is None:
            return None
    with write() as session:
        row = session.scalar(query)
        if row is None:
            return None
        row.state, row.owner = JobState.RUNNING.value, owner
        row.fence += 1
        row.attempt += 1
        row.started_at = row.started_at or time.time()
        row.heartbeat_at = time.time()
        row.error = None
        session.flush()
        return view(row), row.fence


def waiting(kinds: Iterable[JobKind] = tuple(JobKind)) -> list[JobView]:
    """Queued jobs of these kinds in the order in which they will be claimed."""
    with read() as session:
        return [view(row) for row in _waiting(session, kinds)]


def _waiting(session: Session, kinds: Iterable[JobKind]) -> list[Job]:
    queued = (Job.state == JobState.QUEUED.value, Job.kind.in_([k.value for k in kinds]))
    return list(session.scalars(select(Job).where(*queued).order_by(*_ORDER)))


def move(job_id: str, kinds: Iterable[JobKind], *, first: bool = False) -> None:
    """Let a queued job change places with the one before it among these kinds, or with `first` come before all of them.

    The order of the others stays as it is. A job that is not queued any more, or is first already, stays where it is.
    """
    with write() as session:
        queued = _waiting(session, kinds)
        place = next((i for i, row in enumerate(queued) if row.id == job_id), 0)
        if place == 0:
            return
        row, head, before = queued[place], queued[0], queued[place - 1]
        if first:
            row.priority, row.position = head.priority, head.position - 1
        else:
            mine = (row.priority, row.position)
            row.priority, row.position = before.priority, before.position
            before.priority, before.position = mine
            if (row.priority, row.position) == mine:  # a coarse clock gave both the same place
                row.position = math.nextafter(row.position, -math.inf)


def check(session: Session, job_id: str, fence: int) -> Job:
    """The job's row, if `fence` still owns it. Raises FencedOut otherwise. Comes first in every worker transaction."""
    row = session.get(Job, job_id)
    if row is None or row.fence != fence or row.state != JobState.RUNNING.value:
        raise FencedOut(job_id)
    return row


@contextmanager
def owned(job_id: str, fence: int) -> Iterator[None]:
    """Every write transaction of this block proves first that the job is still ours. Raises FencedOut where it is not."""
    with proving(lambda session: check(session, job_id, fence)):
        yield


def heartbeat(session: Session, job_id: str, fence: int, phase: str, done: float, total: float) -> Desired:
    """Say that the job is alive and how far it is; returns what is wanted of it. Raises FencedOut when it is not ours.

    One statement and no objects, since a running job does this twice a second.
    """
    now = {"heartbeat_at": time.time(), "phase": phase, "done": done, "total": total}
    of_job = {"its_id": job_id, "its_fence": fence}
    desired = session.execute(_BEAT, {**now, **of_job}).scalar()
    if desired is None:
        raise FencedOut(job_id)
    return Desired(desired)


def waits(job_id: str, fence: int, phase: str) -> None:
    """Say why a claimed job does not move yet; nothing is said of one that is not ours any more."""
    with suppress(FencedOut), write() as session:
        heartbeat(session, job_id, fence, phase, 0, 0)


def desired(job_id: str) -> Desired | None:
    """What is wanted of the job; None where it was deleted. Takes no lock and makes no objects: it is asked twice a second."""
    with read() as session:
        found = session.execute(_WISH, {"its_id": job_id}).scalar()
    return None if found is None else Desired(found)


_WISH = select(Job.__table__.c.desired).where(Job.__table__.c.id == bindparam("its_id"))
_BEAT = (
    update(Job.__table__)  # type: ignore[arg-type]
    .where(
        Job.__table__.c.id == bindparam("its_id"),
        Job.__table__.c.fence == bindparam("its_fence"),
        Job.__table__.c.state == JobState.RUNNING.value,
    )
    .values(
        beat=Job.__table__.c.beat + 1,
        **{name: bindparam(name) for name in ("heartbeat_at", "phase", "done", "total")},
    )
    .returning(Job.__table__.c.desired)
)


def finish(
    job_id: str, fence: int, state: JobState, result: dict[str, Any] | None = None, error: dict[str, Any] | None = None
) -> None:
    """Write the end of a job. `QUEUED` or `PAUSED` hand it back unfinished: it goes where it is wanted by now."""
    with write() as session:
        row = check(session, job_id, fence)
        row.owner = None
        row.result = result if result is not None else row.result
        row.error = error
        if state.final:
            row.state, row.finished_at = state.value, time.time()
        else:
            _hand_back(row)
            row.attempt = 0  # it saved its state and left: that is no failed attempt


def _hand_back(row: Job) -> None:
    state = _HANDED_BACK[Desired(row.desired)]
    row.state = state.value
    if state.final:
        row.finished_at = time.time()
    elif state is JobState.QUEUED:
        row.phase, row.error = "Waiting for the worker", None


def hold(job_id: str, fence: int, error: dict[str, Any]) -> None:
    """Hand back a job that cannot go on until something outside of it changes: paused, with the reason as its error.

    What is wanted of it stays as it is, so that `release` or a wish lets it go on where it was. A cancelled one ends.
    """
    with write() as session:
        row = check(session, job_id, fence)
        row.owner, row.attempt = None, 0
        if row.desired == Desired.CANCEL.value:
            _hand_back(row)
        else:
            row.state, row.error = JobState.PAUSED.value, error


def held(action: str) -> list[JobView]:
    """Paused jobs that wait, by no wish of the person, for the fix named `action` of their error."""
    paused = find(states=[JobState.PAUSED])
    return [job for job in paused if (job.error or {}).get("action") == action and job.desired is not Desired.PAUSE]


def release(job_id: str) -> None:
    """Let a job that was held go on."""
    with write() as session:
        row = session.get(Job, job_id)
        if row is not None and row.state == JobState.PAUSED.value and row.desired != Desired.PAUSE.value:
            _hand_back(row)


def wish(job_id: str, desired: Desired) -> JobView | None:
    """Say what is wanted of a job. A job that is not running follows at once; a running one at its next step."""
    with write() as session:
        row = session.get(Job, job_id)
        if row is None:
            return None
        state = JobState(row.state)
        if not state.final:
            row.desired = desired.value
            if state in (JobState.QUEUED, JobState.PAUSED):
                if desired is Desired.STOP and row.started_at is None:
                    row.desired = Desired.CANCEL.value  # nothing was begun that could be kept
                _hand_back(row)
                row.attempt = 0
        session.flush()
        return view(row)


def retry(job_id: str) -> None:
    """Put a failed or stopped job back into the queue."""
    with write() as session:
        session.execute(
            update(Job)
            .where(Job.id == job_id, Job.state.in_([JobState.FAILED.value, JobState.STOPPED.value]))
            .values(state=JobState.QUEUED.value, desired=Desired.RUN.value, attempt=0, error=None, finished_at=None)
        )


def running() -> list[tuple[str, str | None, int, int]]:
    """(id, owner, fence, beat) of every job that says it is running."""
    with read() as session:
        query = select(Job.id, Job.owner, Job.fence, Job.beat).where(Job.state == JobState.RUNNING.value)
        return [(r[0], r[1], r[2], r[3]) for r in session.execute(query)]


def reclaim(job_id: str, fence: int, *, error: dict[str, Any] | None, forgiven: bool = False) -> None:
    """Take a job from an owner that is gone: back into the queue, or failed with a reason. The old token stops working.

    `forgiven`: we ended the owner ourselves, so this does not count as a failed attempt.
    """
    with write() as session:
        row = session.get(Job, job_id)
        if row is None or row.fence != fence or row.state != JobState.RUNNING.value:
            return
        row.fence += 1
        row.owner = None
        if error is not None and row.desired != Desired.CANCEL.value:
            row.state, row.error, row.finished_at = JobState.FAILED.value, error, time.time()
        else:
            _hand_back(row)
        if forgiven:
            row.attempt = 0


def progressed(session: Session, job_id: str, fence: int) -> None:
    """A job that got further (a new checkpoint) may be tried again as often as a new one."""
    check(session, job_id, fence).attempt = 1
