"""A curve in power-of-two buckets, kept between two readings: a refresh reads only the points that are new.

Whatever the number of points, a chart gets at most `most` buckets. Points are only ever added at the end or, when a run goes
back to a checkpoint, taken off there; so what is kept is right as long as its last point still stands as it was written.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from .config import database_url
from .engine import read
from .tables import Metric

KEPT_CURVES = 512  # of at most `most` buckets each


class Bucket(NamedTuple):
    """Points of steps [step, step + width): only the newest bucket changes between two refreshes."""

    step: int
    epoch: float
    low: float
    mean: float
    high: float


@dataclass
class _Part:
    """Sums over the points of one bucket, so that two neighbours can become one."""

    step: int
    count: int
    epochs: float
    total: float
    low: float
    high: float

    def joined(self, other: _Part) -> _Part:
        return _Part(
            min(self.step, other.step),
            self.count + other.count,
            self.epochs + other.epochs,
            self.total + other.total,
            min(self.low, other.low),
            max(self.high, other.high),
        )

    def bucket(self) -> Bucket:
        return Bucket(self.step, self.epochs / self.count, self.low, self.total / self.count, self.high)


@dataclass
class _Curve:
    """`parts` by bucket number. `last` is the newest point that is in them: (step, time when it was recorded)."""

    width: int = 1
    points: int = 0
    parts: dict[int, _Part] = field(default_factory=dict)
    last: tuple[int, float] | None = None

    def add(self, number: int, part: _Part) -> None:
        old = self.parts.get(number)
        self.parts[number] = old.joined(part) if old else part
        self.points += part.count

    def widen(self) -> None:
        halves, self.parts, self.points = self.parts, {}, 0
        self.width *= 2
        for number, part in halves.items():
            self.add(number // 2, part)


# Made once: to put it together takes longer than to ask it, and each chart asks it each second.
_NEWEST = (
    select(Metric.step, Metric.at)
    .where(
        Metric.run_id == bindparam("run_id"),
        Metric.name == bindparam("name"),
        Metric.split == bindparam("split"),
        Metric.value.is_not(None),
    )
    .order_by(Metric.step.desc())
    .limit(1)
)

_kept: OrderedDict[tuple[str, str, str, str, int], _Curve] = OrderedDict()
_lock = threading.Lock()


def series(run_id: str, name: str, split: str, most: int = 1000) -> list[Bucket]:
    """The curve in at most `most` buckets whose width is a power of two, oldest first. NaN points are left out."""
    key = (database_url(), run_id, name, split, most)
    with _lock, read() as session:
        curve = _kept.pop(key, None)
        found = session.execute(_NEWEST, {"run_id": run_id, "name": name, "split": split}).first()
        if found is None:
            return []
        newest = (found.step, found.at)
        if curve is None or (curve.last != newest and not _stands(session, curve, run_id, name, split)):
            curve = _Curve(width=_first_width(session, run_id, name, split, most))
        if curve.last != newest:  # mostly nothing is new: of nine charts only some get a point each second
            _read_on(session, curve, run_id, name, split, newest)
        if curve.points > most:  # steps between points vary (validation is rarer), so measure the spread, not the count
            while curve.last is not None and curve.last[0] // curve.width + 1 > most:
                curve.widen()
        _kept[key] = curve
        while len(_kept) > KEPT_CURVES:
            _kept.popitem(last=False)
        return [part.bucket() for part in curve.parts.values()]


def _stands(session: Session, curve: _Curve, run_id: str, name: str, split: str) -> bool:
    """Whether the newest point that we know is still the one that was read: then all before it are, too."""
    if curve.last is None:
        return False
    found = session.scalar(
        select(Metric.at).where(
            Metric.run_id == run_id, Metric.name == name, Metric.split == split, Metric.step == curve.last[0]
        )
    )
    return found == curve.last[1]


def _first_width(session: Session, run_id: str, name: str, split: str, most: int) -> int:
    """The width for a curve that is read from its start: the database then makes the buckets, not we."""
    of_curve = (Metric.run_id == run_id, Metric.name == name, Metric.split == split, Metric.value.is_not(None))
    points, last = session.execute(select(func.count(), func.max(Metric.step)).where(*of_curve)).one()
    width = 1
    while points > most and last // width + 1 > most:
        width *= 2
    return width


def _read_on(session: Session, curve: _Curve, run_id: str, name: str, split: str, newest: tuple[int, float]) -> None:
    """Add the points that came after the last reading, up to the newest."""
    of_curve = [Metric.run_id == run_id, Metric.name == name, Metric.split == split, Metric.value.is_not(None)]
    if curve.last is not None:
        of_curve.append(Metric.step > curve.last[0])
    # On integers `/` divides without remainder, in SQLite as in PostgreSQL.
    number = Metric.step.op("/")(curve.width)
    rows = session.execute(
        select(
            number, func.min(Metric.step), func.count(), func.sum(Metric.epoch), func.sum(Metric.value),
            func.min(Metric.value), func.max(Metric.value),
        )
        .where(*of_curve, Metric.step <= newest[0])
        .group_by(number)
        .order_by(number)
    )  # fmt: skip
    for at, *sums in rows:
        curve.add(at, _Part(*sums))
    curve.last = newest
