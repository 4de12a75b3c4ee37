"""The order of the waiting work: what is moved is claimed earlier, and the others keep their order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from databases import migrated

from core.schemas.jobs import LANES, JobKind
from core.store import jobs
from core.store.engine import engine

COMPUTE = LANES["compute"]


@pytest.fixture(autouse=True)
def database(storage: object) -> Iterator[None]:
    migrated()
    yield
    engine().dispose()


def submitted(count: int, **more: int) -> list[str]:
    return [jobs.submit(JobKind.TRAIN, None, {"n": n}, **more) for n in range(count)]


def order() -> list[str]:
    return [job.id for job in jobs.waiting(COMPUTE)]


def claimed() -> list[str]:
    """Claim everything that waits, in the order in which the worker does."""
    out = []
    while found := jobs.claim(COMPUTE, "me"):
        out.append(found[0].id)
    return out


def test_every_kind_of_job_has_its_lane() -> None:
    assert sorted(kind for kinds in LANES.values() for kind in kinds) == sorted(JobKind)


def test_a_job_that_is_moved_up_changes_places_with_the_one_before_it() -> None:
    a, b, c, d = submitted(4)
    jobs.move(d, COMPUTE)
    assert order() == [a, b, d, c]
    jobs.move(d, COMPUTE)
    jobs.move(c, COMPUTE)
    assert order() == [a, d, c, b]
    assert claimed() == [a, d, c, b]


def test_a_job_that_is_put_first_overtakes_all_even_more_urgent_ones() -> None:
    later = submitted(2, priority=-1)
    urgent = submitted(2, priority=5)
    jobs.move(later[1], COMPUTE, first=True)
    assert order() == [later[1], *urgent, later[0]]
    jobs.move(later[0], COMPUTE)
    assert order() == [later[1], urgent[0], later[0], urgent[1]]
    assert claimed() == [later[1], urgent[0], later[0], urgent[1]]


def test_moving_what_is_first_or_runs_already_changes_nothing() -> None:
    a, b, c = submitted(3)
    jobs.move(a, COMPUTE, first=True)
    jobs.move(a, COMPUTE)
    assert order() == [a, b, c]
    found = jobs.claim(COMPUTE, "me")
    assert found is not None and found[0].id == a
    jobs.move(a, COMPUTE, first=True)
    assert order() == [b, c]


def test_jobs_of_the_same_instant_can_be_ordered_too() -> None:
    a, b = submitted(2)
    with jobs.write() as session:
        for row in session.query(jobs.Job):
            row.position, row.created_at = 7.0, 7.0
    before = order()
    jobs.move(before[1], COMPUTE)
    assert order() == before[::-1] and set(before) == {a, b}


def test_jobs_of_another_lane_are_not_overtaken_for_nothing() -> None:
    a, b = submitted(2)
    jobs.submit(JobKind.IMPORT, None, {})
    jobs.move(b, COMPUTE)
    assert order() == [b, a]
