"""Metric points: appended in batches by the worker, read as power-of-two buckets by the charts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from .engine import read, write
from .tables import Checkpoint, Metric, RunEvent


class Point(NamedTuple):
    run_id: str
    name: str
    split: str
    step: int
    epoch: float
    value: float | None
    at: float


class Bucket(NamedTuple):
    """Points of steps [step, step + width): only the newest bucket changes between two refreshes."""

    step: int
    epoch: float
    low: float
    mean: float
    high: float


def append(session: Session, points: Sequence[Point]) -> None:
    """Add points; one that exists already stays as it is."""
    if points:
        session.execute(insert(Metric).on_conflict_do_nothing(), [p._asdict() for p in points])


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


def series(run_id: str, name: str, split: str, most: int = 1000) -> list[Bucket]:
    """The curve in at most `most` buckets whose width is a power of two, oldest first. NaN points are left out."""
    of_curve = (Metric.run_id == run_id, Metric.name == name, Metric.split == split, Metric.value.is_not(None))
    with read() as session:
        points, last = session.execute(select(func.count(), func.max(Metric.step)).where(*of_curve)).one()
        if not points:
            return []
        width = 1
        if points > most:  # steps between points vary (validation is rarer), so measure the spread, not the count
            while last // width + 1 > most:
                width *= 2
        # On integers `/` divides without remainder, in SQLite as in PostgreSQL.
        bucket = Metric.step.op("/")(width)
        rows = session.execute(
            select(
                func.min(Metric.step), func.avg(Metric.epoch), func.min(Metric.value), func.avg(Metric.value),
                func.max(Metric.value),
            )
            .where(*of_curve)
            .group_by(bucket)
            .order_by(func.min(Metric.step))
        )  # fmt: skip
        return [Bucket(*row) for row in rows]


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


def events(run_id: str) -> list[RunEvent]:
    with read() as session:
        return list(session.scalars(select(RunEvent).filter_by(run_id=run_id).order_by(RunEvent.id)))


def checkpoints(run_id: str) -> list[Checkpoint]:
    """Whole checkpoints, newest first."""
    with read() as session:
        return list(session.scalars(select(Checkpoint).filter_by(run_id=run_id).order_by(Checkpoint.step.desc())))
