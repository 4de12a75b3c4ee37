"""The recorder: what a training reports is written in batches, waits for a locked database, and is never lost."""

from __future__ import annotations

import math
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import stored
from databases import migrated
from sqlalchemy import event
from waiting import until

from core.schemas.jobs import Desired, JobKind
from core.store import curves, jobs
from core.store import engine as engines
from core.store.changes import Changes
from core.store.engine import DatabaseBusy, engine
from core.worker.recorder import FLUSH_SECONDS, MOST_PAUSE_SECONDS, MOST_SHARE, JobRecorder, pause_after


@pytest.fixture
def database(storage: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A database that gives up waiting for a lock after a tenth of a second."""
    monkeypatch.setattr(engines, "BUSY_TIMEOUT_SECONDS", 0.1)
    migrated()
    yield storage / "tunewell.db"
    engine().dispose()


@pytest.fixture
def recorder(database: Path) -> JobRecorder:
    """The recorder of a training that runs; its background thread is not started."""
    run = stored.run()
    job_id = jobs.submit(JobKind.TRAIN, run.project_id, {"run_id": run.id})
    found = jobs.claim([JobKind.TRAIN], "me")
    assert found is not None
    return JobRecorder(job_id, found[1], run.id, lost=lambda: None)


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another connection holds the write lock."""
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.rollback()
        other.close()


def written(recorder: JobRecorder) -> list[tuple[int, float | None]]:
    assert recorder.run_id is not None
    return [(p.step, p.value) for p in curves.points(recorder.run_id, [("loss", "batch")])]


def commits(work: Callable[[], None]) -> int:
    """How many write transactions `work` makes."""
    made = []

    def count(*_: object) -> None:
        made.append(1)

    event.listen(engine(), "commit", count)
    try:
        work()
    finally:
        event.remove(engine(), "commit", count)
    return len(made)


def test_many_points_and_events_are_written_in_one_transaction(recorder: JobRecorder) -> None:
    for step in range(300):
        recorder.metrics("batch", step, step / 100, {"loss": 1.0, "grad_norm": 2.0})
    recorder.event("sample", 5, "Samples at step 5", data={"items": [{"text": "a"}]})
    assert commits(recorder.flush) == 1
    assert len(written(recorder)) == 300
    assert recorder.run_id is not None
    assert [(e.kind, e.data) for e in curves.events(recorder.run_id)] == [("sample", {"items": [{"text": "a"}]})]


def test_a_value_that_is_no_number_is_stored_as_nothing(recorder: JobRecorder) -> None:
    for step, value in enumerate([1.0, math.nan, math.inf, -math.inf]):
        recorder.metrics("batch", step, 0.0, {"loss": value})
    recorder.flush()
    assert written(recorder) == [(0, 1.0), (1, None), (2, None), (3, None)]


def test_each_batch_is_a_heartbeat_that_says_how_far_the_work_is_and_learns_what_is_wanted(
    recorder: JobRecorder,
) -> None:
    recorder.phase("Training", 3, 10)
    jobs.wish(recorder.job_id, Desired.PAUSE)
    ((_, _, _, before),) = jobs.running()
    assert recorder.wish() is Desired.RUN
    recorder.flush()
    ((_, _, _, after),) = jobs.running()
    job = jobs.get(recorder.job_id)
    assert job is not None and (job.phase, job.done, job.total) == ("Training", 3.0, 10.0)
    assert after == before + 1
    assert recorder.wish() is Desired.PAUSE


def test_what_is_wanted_is_known_from_the_first_moment(recorder: JobRecorder) -> None:
    jobs.wish(recorder.job_id, Desired.STOP)
    recorder.start()
    assert recorder.wish() is Desired.STOP
    recorder.close()


def test_a_wish_is_learned_between_two_batches_however_far_apart_they_are(
    recorder: JobRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.worker.recorder.pause_after", lambda *_: 1e9)  # seconds: there is one batch and no second
    recorder.start()
    recorder.metrics("batch", 1, 0.1, {"loss": 1.0})
    until(lambda: written(recorder), "the first batch")
    recorder.metrics("batch", 2, 0.2, {"loss": 1.0})
    jobs.wish(recorder.job_id, Desired.PAUSE)
    until(lambda: recorder.wish() is Desired.PAUSE, "the wish")
    assert [step for step, _ in written(recorder)] == [1], "it was learned with a batch"
    recorder.close()


def test_the_background_thread_writes_without_being_asked_and_closing_writes_the_rest(recorder: JobRecorder) -> None:
    recorder.start()
    recorder.metrics("batch", 1, 0.1, {"loss": 1.0})
    until(lambda: written(recorder), "the point of step 1")
    recorder.metrics("batch", 2, 0.2, {"loss": 1.0})
    recorder.close()
    assert [step for step, _ in written(recorder)] == [1, 2]


def test_a_locked_database_loses_nothing_and_keeps_the_order(recorder: JobRecorder, database: Path) -> None:
    recorder.metrics("batch", 1, 0.1, {"loss": 1.0})
    recorder.event("x", 1, "first")
    with locked(database):
        for step in (2, 3):
            with pytest.raises(engines.DatabaseBusy) as error:
                recorder.flush()
            assert engines.is_locked(error.value)
            recorder.metrics("batch", step, 0.1, {"loss": 1.0})
            recorder.event("x", step, "later")
        assert written(recorder) == []
    recorder.flush()
    assert [step for step, _ in written(recorder)] == [1, 2, 3]
    assert recorder.run_id is not None
    assert [e.step for e in curves.events(recorder.run_id)] == [1, 2, 3]


def test_a_database_without_space_loses_nothing_and_stays_whole(recorder: JobRecorder) -> None:
    with engine().connect() as connection:
        pages = [int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())]

    def limit(connection: Any) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages[0]}")

    event.listen(engine(), "begin", limit)
    for step in range(3000):
        recorder.metrics("batch", step, 0.1, {"loss": 1.0})
    for _ in range(2):
        with pytest.raises(engines.DatabaseBusy) as error:
            recorder.flush()
        assert engines.is_full(error.value)
    assert written(recorder) == []
    pages[0] = 10**6
    recorder.flush()
    assert [step for step, _ in written(recorder)] == list(range(3000))
    with engine().connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"


@pytest.mark.parametrize(
    "call",
    [
        JobRecorder.guard,
        JobRecorder.close,
        lambda recorder: recorder.checkpoint(1, "checkpoints/checkpoint-1", None),
        lambda recorder: recorder.forget_checkpoint(1),
        lambda recorder: recorder.rewind(5),
    ],
    ids=["guard", "close", "checkpoint", "forget", "rewind"],
)
def test_what_must_not_be_skipped_waits_until_the_database_is_unlocked(
    recorder: JobRecorder, database: Path, call: Callable[[JobRecorder], None], caplog: pytest.LogCaptureFixture
) -> None:
    if call is JobRecorder.close:
        recorder.start()
    with locked(database):
        thread = threading.Thread(target=call, args=(recorder,))
        thread.start()
        until(lambda: caplog.text.count("trying again") >= 3, "three tries to write")
        assert thread.is_alive()
    thread.join(20)
    assert not thread.is_alive()


def test_which_checkpoints_are_kept_is_asked_again_where_nobody_may_read(
    recorder: JobRecorder, database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    said: list[set[int]] = []
    thread = threading.Thread(target=lambda: said.append(recorder.pinned()))
    thread.start()
    until(lambda: caplog.text.count("trying again") >= 2, "two tries to read")
    other.rollback()
    other.close()
    thread.join(20)
    assert said == [set()]


def test_the_points_that_lead_to_a_checkpoint_are_written_before_it_gets_its_name(recorder: JobRecorder) -> None:
    recorder.metrics("batch", 7, 0.7, {"loss": 1.0})
    recorder.guard()
    assert [step for step, _ in written(recorder)] == [7]


def test_a_checkpoint_is_on_record_after_its_points_and_is_progress(recorder: JobRecorder) -> None:
    jobs.reclaim(recorder.job_id, recorder.fence, error=None)
    found = jobs.claim([JobKind.TRAIN], "me")
    assert found is not None and found[0].attempt == 2
    recorder.fence = found[1]
    recorder.metrics("batch", 4, 0.4, {"loss": 1.0})
    recorder.checkpoint(4, "checkpoints/checkpoint-4", None)
    recorder.checkpoint(4, "checkpoints/checkpoint-4", 0.5)
    assert recorder.run_id is not None
    assert [(c.step, c.metric) for c in curves.checkpoints(recorder.run_id)] == [(4, 0.5)]
    assert [step for step, _ in written(recorder)] == [4]
    job = jobs.get(recorder.job_id)
    assert job is not None and job.attempt == 1
    recorder.forget_checkpoint(4)
    assert curves.checkpoints(recorder.run_id) == []


def test_going_back_to_a_step_forgets_what_came_after_it(recorder: JobRecorder) -> None:
    for step in range(4):
        recorder.metrics("batch", step, 0.0, {"loss": 1.0})
    recorder.flush()
    recorder.rewind(1)
    assert [step for step, _ in written(recorder)] == [0, 1]


def test_a_process_that_lost_its_job_is_told_so_in_the_background(recorder: JobRecorder) -> None:
    lost = threading.Event()
    recorder.lost = lost.set
    recorder.start()
    jobs.reclaim(recorder.job_id, recorder.fence, error=None)
    recorder.metrics("batch", 1, 0.1, {"loss": 1.0})
    assert lost.wait(20)
    assert written(recorder) == []


def test_a_job_that_was_deleted_with_its_project_is_lost_too(recorder: JobRecorder) -> None:
    from core.services import projects

    job = jobs.get(recorder.job_id)
    assert job is not None and job.project_id is not None
    projects.delete(job.project_id)
    lost: list[str] = []
    recorder.lost = lambda: lost.append("lost")
    with pytest.raises(jobs.FencedOut):
        recorder.flush()
    assert lost == ["lost"]


def test_a_failure_in_the_background_reaches_the_work_instead_of_stopping_silently(recorder: JobRecorder) -> None:
    recorder.start()
    recorder.event("x", 1, "cannot be stored", data={"a": object()})

    def raised() -> Exception | None:
        try:
            recorder.wish()
        except Exception as error:
            return error
        return None

    assert "not JSON serializable" in str(until(raised, "the failure of the background thread"))
    with pytest.raises(Exception, match="not JSON serializable"):
        recorder.guard()


def test_the_signal_to_shut_down_only_sets_a_flag(recorder: JobRecorder) -> None:
    assert not recorder.shutting_down()
    recorder.shut_down()
    assert recorder.shutting_down()
    assert recorder.wish() is Desired.RUN


def test_a_job_that_is_no_training_has_no_curves(recorder: JobRecorder) -> None:
    other = JobRecorder(recorder.job_id, recorder.fence, None)
    for call in (
        lambda: other.metrics("batch", 1, 0.1, {"loss": 1.0}),
        lambda: other.event("x", 1, "title"),
        lambda: other.checkpoint(1, "folder", None),
    ):
        with pytest.raises(ValueError, match="only a training"):
            call()


def test_writing_takes_a_small_share_of_the_work_and_a_heartbeat_is_never_late() -> None:
    assert pause_after(0.0001, 1.0) == FLUSH_SECONDS
    for spent, busy in ((0.002, 1.0), (0.002, 2.0), (0.001, 0.3)):
        pause = pause_after(spent, busy)
        assert FLUSH_SECONDS <= pause <= MOST_PAUSE_SECONDS
        assert spent / (pause * busy) <= MOST_SHARE * 1.0001
    assert pause_after(1.0, 1.0) == MOST_PAUSE_SECONDS
    assert pause_after(0.001, 0.0) == MOST_PAUSE_SECONDS


def test_wishes_are_read_only_when_somebody_wrote_and_none_gets_lost(
    recorder: JobRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads, real = [], jobs.desired
    changes = Changes()

    def desired(job_id: str) -> Desired | None:
        reads.append(job_id)
        return real(job_id)

    monkeypatch.setattr("core.worker.recorder.jobs.desired", desired)
    recorder.flush()
    for _ in range(5):
        recorder._look(changes)
    assert len(reads) == 1 and recorder.wish() is Desired.RUN

    jobs.wish(recorder.job_id, Desired.PAUSE)

    def busy(job_id: str) -> None:
        cause = sqlite3.OperationalError("database is locked")
        cause.sqlite_errorname = "SQLITE_BUSY"
        raise DatabaseBusy("", {}, cause)

    with monkeypatch.context() as patch:
        patch.setattr("core.worker.recorder.jobs.desired", busy)
        recorder._look(changes)
    assert recorder.wish() is Desired.RUN  # it could not be read, and so is asked for again
    recorder._look(changes)
    assert recorder.wish() is Desired.PAUSE and len(reads) == 2
    changes.close()
