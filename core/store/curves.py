"""Metric points: appended in batches by the worker, read as power-of-two buckets by the charts."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from sqlalchemy import Dialect, delete, func, select, text
from sqlalchemy.orm import Session

from .buckets import Bucket, series
from .engine import read, write
from .tables import Checkpoint, Metric, RunEvent

__all__ = [
    "Bucket", "Point", "append", "checkpoints", "copy", "events", "forget_checkpoints", "latest", "names", "pin", "points",
    "series", "stream", "truncate",
]  # fmt: skip


class Point(NamedTuple):
    run_id: str
    name: str
    split: str
    step: int
    epoch: float
    value: float | None
    at: float


# As a text: SQLAlchemy compiles an insert with ON CONFLICT anew at each call, which took most of the recorder's time.
_APPEND = text(
    f"INSERT INTO {Metric.__tablename__} ({', '.join(Point._fields)}) "
    f"VALUES ({', '.join(f':{name}' for name in Point._fields)}) ON CONFLICT DO NOTHING"
)


def append(session: Session, points: Sequence[Point]) -> None:
    """Add points; one that exists already stays as it is. Handed to the driver as they are: naming the values of every point for
    SQLAlchemy took half the time of a batch."""
    if points:
        connection = session.connection()
        statement, by_position = _append_for(connection.dialect)
        connection.exec_driver_sql(statement, [tuple(p) if by_position else p._asdict() for p in points])


@cache
def _append_for(dialect: Dialect) -> tuple[str, bool]:
    compiled = _APPEND.compile(dialect=dialect)
    return str(compiled), bool(compiled.positional)


def copy(source: str, target: str) -> None:
    """Give a run the points of another one, up to where that one ended."""
    columns = [c.name for c in Metric.__table__.columns]
    with write() as session:
        rows = session.execute(select(*Metric.__table__.columns).where(Metric.run_id == source)).mappings().all()
        append(session, [Point(**{**{name: row[name] for name in columns}, "run_id": target}) for row in rows])


def truncate(session: Session, run_id: str, beyond: int) -> None:
    """Forget points, events and checkpoints later than step `beyond`: a resumed run will write them again."""
    for table in (Metric, RunEvent, Checkpoint):
        session.execute(delete(table).where(table.run_id == run_id, table.step > beyond))


def names(run_id: str) -> set[tuple[str, str]]:
    """(name, split) of every curve of the run."""
    with read() as session:
        return {
            (n, s)
            for n, s in session.execute(select(Metric.name, Metric.split).where(Metric.run_id == run_id).distinct())
        }


def latest(run_id: str) -> dict[tuple[str, str], tuple[int, float | None]]:
    """The newest (step, value) of every curve."""
    with read() as session:
        newest = (
            select(Metric.name, Metric.split, func.max(Metric.step).label("step"))
            .where(Metric.run_id == run_id)
            .group_by(Metric.name, Metric.split)
            .subquery()
        )
        rows = session.execute(
            select(Metric.name, Metric.split, Metric.step, Metric.value)
            .join(
                newest,
                (Metric.name == newest.c.name) & (Metric.split == newest.c.split) & (Metric.step == newest.c.step),
            )
            .where(Metric.run_id == run_id)
        )
        return {(n, s): (step, value) for n, s, step, value in rows}


def points(run_id: str, wanted: Iterable[tuple[str, str]]) -> list[Point]:
    """All raw points of some curves, for rules and reports (evaluation points are few)."""
    out: list[Point] = []
    with read() as session:
        for name, split in wanted:
            query = select(Metric).filter_by(run_id=run_id, name=name, split=split).order_by(Metric.step)
            out += [Point(m.run_id, m.name, m.split, m.step, m.epoch, m.value, m.at) for m in session.scalars(query)]
    return out


def stream(run_id: str, at_once: int = 1000) -> Iterator[Point]:
    """Every point of the run by split, step and name, those of `at_once` steps in memory at a time.

    Each piece is a short transaction of its own: a download must not keep the training from writing.
    """
    columns = [Metric.__table__.c[name] for name in Point._fields]
    named: dict[str, list[str]] = {}
    for name, split in sorted(names(run_id)):
        named.setdefault(split, []).append(name)
    for split, of_split in sorted(named.items()):
        beyond = -1
        while True:
            later = (Metric.run_id == run_id, Metric.name.in_(of_split), Metric.split == split, Metric.step > beyond)
            with read() as session:
                first = session.scalar(select(func.min(Metric.step)).where(*later))
                if first is None:
                    break
                query = select(*columns).where(*later, Metric.step < first + at_once).order_by(Metric.step, Metric.name)
                rows = session.execute(query).all()
            yield from (Point(*row) for row in rows)
            beyond = first + at_once - 1


def events(run_id: str) -> list[RunEvent]:
    with read() as session:
        return list(session.scalars(select(RunEvent).filter_by(run_id=run_id).order_by(RunEvent.id)))


def checkpoints(run_id: str) -> list[Checkpoint]:
    """Whole checkpoints, newest first."""
    with read() as session:
        return list(session.scalars(select(Checkpoint).filter_by(run_id=run_id).order_by(Checkpoint.step.desc())))


def forget_checkpoints(run_id: str, steps: Sequence[int], *, title: str, text: str, size: int) -> None:
    """Take checkpoints of an ended run off its record, and say so as an event of the kind `cleared`."""
    with write() as session:
        session.execute(delete(Checkpoint).where(Checkpoint.run_id == run_id, Checkpoint.step.in_(steps)))
        data = {"steps": list(steps), "bytes": size}
        session.add(
            RunEvent(run_id=run_id, kind="cleared", step=max(steps), title=title, text=text, data=data, at=time.time())
        )


def pin(run_id: str, step: int, pinned: bool) -> None:
    """Keep this checkpoint whatever the budget, or no longer. One that was removed meanwhile stays removed."""
    with write() as session:
        row = session.get(Checkpoint, (run_id, step))
        if row is not None:
            row.pinned = pinned
