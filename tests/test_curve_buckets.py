"""Buckets of a curve that are kept between two readings: the same as read anew, and only new points are read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stored
from databases import migrated
from sqlalchemy import event

from core.store import buckets, curves
from core.store.engine import engine, write
from core.store.tables import Run


@pytest.fixture
def run(storage: Path) -> Iterator[Run]:
    migrated()
    yield stored.run()
    engine().dispose()


def add(run: Run, steps: range, at: float = 1.0, value: float | None = None) -> None:
    points = [
        curves.Point(run.id, "loss", "batch", s, s / 10, float(s % 7) if value is None else value, at + s)
        for s in steps
    ]
    with write() as session:
        curves.append(session, points)


def kept_and_fresh(run: Run, most: int) -> tuple[list[curves.Bucket], list[curves.Bucket]]:
    kept = curves.series(run.id, "loss", "batch", most)
    buckets._kept.clear()
    return kept, curves.series(run.id, "loss", "batch", most)


@pytest.mark.parametrize("stride", [1, 3, 17])
def test_a_curve_that_grows_has_the_same_buckets_as_one_that_is_read_whole(run: Run, stride: int) -> None:
    for start in range(0, 4000, 250):
        add(run, range(start, start + 250, stride))
        curves.series(run.id, "loss", "batch", 64)
    kept, fresh = kept_and_fresh(run, 64)
    assert 32 <= len(kept) <= 64
    assert [b.step for b in kept] == [b.step for b in fresh]
    for one, other in zip(kept, fresh, strict=True):
        assert tuple(one) == pytest.approx(tuple(other))


def test_a_refresh_reads_the_new_points_only(run: Run) -> None:
    add(run, range(3000))
    curves.series(run.id, "loss", "batch", 100)
    add(run, range(3000, 3010))
    read: list[Any] = []

    def notice(connection: Any, cursor: Any, statement: str, parameters: Any, *_: object) -> None:
        if "GROUP BY" in statement:
            read.append(parameters)

    event.listen(engine(), "before_cursor_execute", notice)
    try:
        found = curves.series(run.id, "loss", "batch", 100)
    finally:
        event.remove(engine(), "before_cursor_execute", notice)
    assert len(read) == 1 and 2999 in read[0], "it asked for steps after the last one it knew"
    assert sum(1 for _ in found) <= 100 and found[-1].step >= 2976


def test_a_refresh_without_new_points_asks_one_question(run: Run) -> None:
    add(run, range(3000))
    before = curves.series(run.id, "loss", "batch", 100)
    asked: list[str] = []

    def notice(connection: Any, cursor: Any, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(engine(), "before_cursor_execute", notice)
    try:
        assert curves.series(run.id, "loss", "batch", 100) == before
    finally:
        event.remove(engine(), "before_cursor_execute", notice)
    assert [statement.split()[0] for statement in asked] == ["BEGIN", "SELECT"]


def test_a_curve_that_was_taken_back_and_written_again_shows_the_new_points(run: Run) -> None:
    add(run, range(100))
    curves.series(run.id, "loss", "batch", 1000)
    with write() as session:
        curves.truncate(session, run.id, 49)
    assert len(curves.series(run.id, "loss", "batch", 1000)) == 50
    add(run, range(50, 100), at=9.0, value=42.0)
    assert [b.mean for b in curves.series(run.id, "loss", "batch", 1000)][50:] == [42.0] * 50


def test_a_curve_that_was_written_again_between_two_readings_is_read_anew(run: Run) -> None:
    add(run, range(100))
    curves.series(run.id, "loss", "batch", 1000)
    with write() as session:
        curves.truncate(session, run.id, 49)
    add(run, range(50, 120), at=9.0, value=42.0)
    assert [b.mean for b in curves.series(run.id, "loss", "batch", 1000)][50:] == [42.0] * 70


def test_a_curve_of_one_run_is_not_that_of_another(run: Run) -> None:
    add(run, range(5))
    assert curves.series("another", "loss", "batch") == []
    assert len(curves.series(run.id, "loss", "batch")) == 5
    assert curves.series(run.id, "loss", "train") == []
