"""The queue: each job is done by one worker at a time, follows what is wanted, and comes back from the dead."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import stored
from databases import migrated

from core.schemas.jobs import Desired, Job, JobKind, JobState
from core.store import curves, jobs, owners, records
from core.store.engine import engine, write
from core.store.files import folder
from core.store.tables import Job as JobRow
from core.worker import gave_up, supervisor
from core.worker.lock import SingleWorker
from core.worker.recorder import JobRecorder
from core.worker.supervisor import Supervisor

ALL = tuple(JobKind)
ELSEWHERE = "another-machine:77:1.00"  # whether a process of another machine lives cannot be asked


@pytest.fixture(autouse=True)
def database(storage: Path) -> Iterator[None]:
    migrated()
    yield
    engine().dispose()


def submit(priority: int = 0, kind: JobKind = JobKind.TRAIN, **payload: Any) -> str:
    return jobs.submit(kind, None, payload, priority)


def claimed(owner: str = "me") -> tuple[str, int]:
    """A job that runs, and its token."""
    job_id = submit()
    found = jobs.claim(ALL, owner)
    assert found is not None and found[0].id == job_id
    return job_id, found[1]


def state(job_id: str) -> JobState:
    job = jobs.get(job_id)
    assert job is not None
    return job.state


# -- claiming ----------------------------------------------------------------------------------------------------------


def test_the_most_urgent_job_is_claimed_first_and_among_equals_the_oldest() -> None:
    old, urgent, new, urgent_too = submit(), submit(priority=5), submit(), submit(priority=5)
    order = [found[0].id for _ in range(4) if (found := jobs.claim(ALL, "me"))]
    assert order == [urgent, urgent_too, old, new]
    assert jobs.claim(ALL, "me") is None


def test_a_worker_claims_only_the_kinds_it_asks_for() -> None:
    submit(kind=JobKind.TRAIN)
    importing = submit(kind=JobKind.IMPORT)
    found = jobs.claim([JobKind.IMPORT, JobKind.PREPARE], "me")
    assert found is not None and found[0].id == importing
    assert jobs.claim([JobKind.IMPORT, JobKind.PREPARE], "me") is None


CLAIMER = """
import json, sys
from core.schemas.jobs import JobKind, JobState
from core.store import jobs

taken = []
while found := jobs.claim(list(JobKind), sys.argv[1]):
    taken.append(found[0].id)
    jobs.finish(found[0].id, found[1], JobState.DONE)
print(json.dumps(taken))
"""


def test_eight_claimers_of_two_processes_and_six_threads_take_each_of_200_jobs_once() -> None:
    made = []
    with write() as session:
        for n in range(200):
            row = JobRow(id=f"job-{n:03}", kind="train", payload={})
            made.append(row.id)
            session.add(row)
    processes = [
        subprocess.Popen([sys.executable, "-c", CLAIMER, f"p{i}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for i in range(2)
    ]
    taken: list[str] = []

    def claim(name: str) -> None:
        while found := jobs.claim(ALL, name):
            taken.append(found[0].id)
            jobs.finish(found[0].id, found[1], JobState.DONE)

    threads = [threading.Thread(target=claim, args=(f"t{i}",)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for process in processes:
        out, error = process.communicate(timeout=200)
        assert process.returncode == 0, error.decode()
        taken += json.loads(out)
    assert sorted(taken) == made
    assert all(job.attempt == 1 and job.state is JobState.DONE for job in jobs.find())


# -- fencing -----------------------------------------------------------------------------------------------------------


def stale_run() -> tuple[str, str, JobRecorder, list[str]]:
    """A training that was taken from its owner, and the recorder of that owner, which does not know it yet."""
    run = stored.run()
    job_id = jobs.submit(JobKind.TRAIN, run.project_id, {"run_id": run.id})
    found = jobs.claim(ALL, ELSEWHERE)
    assert found is not None
    lost: list[str] = []
    recorder = JobRecorder(job_id, found[1], run.id, lambda: lost.append("lost"))
    jobs.reclaim(job_id, found[1], error=None)
    jobs.claim(ALL, "the new owner")
    return job_id, run.id, recorder, lost


def rows(job_id: str, run_id: str) -> tuple[Any, ...]:
    return (
        jobs.get(job_id),
        curves.points(run_id, [("loss", "batch")]),
        curves.events(run_id),
        curves.checkpoints(run_id),
    )


@pytest.mark.parametrize(
    "attempt",
    [
        JobRecorder.flush,
        JobRecorder.guard,
        lambda recorder: recorder.checkpoint(5, "checkpoints/checkpoint-5", None),
        lambda recorder: recorder.forget_checkpoint(2),
        lambda recorder: recorder.rewind(-1),
    ],
    ids=["metrics and events", "guard", "checkpoint", "forget", "rewind"],
)
def test_an_owner_that_lost_its_job_writes_nothing_more(attempt: Callable[[JobRecorder], None]) -> None:
    job_id, run_id, recorder, lost = stale_run()
    with write() as session:
        curves.append(session, [curves.Point(run_id, "loss", "batch", 1, 0.1, 1.0, 0.0)])
    recorder.metrics("batch", 2, 0.2, {"loss": 9.0})
    recorder.event("x", 2, "stale")
    before = rows(job_id, run_id)
    with pytest.raises(jobs.FencedOut):
        attempt(recorder)
    assert lost == ["lost"]
    assert rows(job_id, run_id) == before
    assert before[2:] == ([], [])


def test_a_heartbeat_with_an_old_token_is_refused() -> None:
    job_id, fence = claimed()
    with write() as session:
        assert jobs.heartbeat(session, job_id, fence, "Training", 1, 2) is Desired.RUN
    jobs.reclaim(job_id, fence, error=None)
    with pytest.raises(jobs.FencedOut), write() as session:
        jobs.heartbeat(session, job_id, fence, "Training", 2, 2)


def test_a_job_that_was_finished_or_deleted_is_nobodys_any_more() -> None:
    job_id, fence = claimed()
    jobs.finish(job_id, fence, JobState.DONE)
    with pytest.raises(jobs.FencedOut):
        jobs.finish(job_id, fence, JobState.FAILED)
    job_id, fence = claimed()
    records.remove(JobRow, id=job_id)
    with pytest.raises(jobs.FencedOut), write() as session:
        jobs.check(session, job_id, fence)


def test_taking_back_a_job_with_an_old_token_changes_nothing() -> None:
    job_id, fence = claimed()
    jobs.reclaim(job_id, fence, error=None)
    jobs.claim(ALL, "the new owner")
    jobs.reclaim(job_id, fence, error={"title": "stale"})
    assert state(job_id) is JobState.RUNNING


# -- wishes ------------------------------------------------------------------------------------------------------------


def test_a_queued_job_is_paused_and_resumed_at_once() -> None:
    job_id = submit()
    jobs.wish(job_id, Desired.PAUSE)
    assert state(job_id) is JobState.PAUSED
    assert jobs.claim(ALL, "me") is None
    jobs.wish(job_id, Desired.RUN)
    assert state(job_id) is JobState.QUEUED


@pytest.mark.parametrize("first", [Desired.RUN, Desired.PAUSE])
def test_a_job_that_waits_or_is_paused_is_cancelled_at_once(first: Desired) -> None:
    job_id = submit()
    jobs.wish(job_id, first)
    jobs.wish(job_id, Desired.CANCEL)
    job = jobs.get(job_id)
    assert job is not None and job.state is JobState.STOPPED and job.finished_at is not None


def test_stopping_a_paused_training_claims_it_once_more_to_keep_its_best_checkpoint() -> None:
    job_id, fence = claimed()
    jobs.wish(job_id, Desired.PAUSE)
    jobs.finish(job_id, fence, JobState.PAUSED)
    assert state(job_id) is JobState.PAUSED
    jobs.wish(job_id, Desired.STOP)
    found = jobs.claim(ALL, "me")
    assert found is not None and found[0].desired is Desired.STOP


def test_stopping_a_job_that_never_began_ends_it_because_there_is_nothing_to_keep() -> None:
    job_id = submit()
    jobs.wish(job_id, Desired.STOP)
    assert state(job_id) is JobState.STOPPED
    assert jobs.claim(ALL, "me") is None


def test_a_running_job_learns_what_is_wanted_with_its_next_heartbeat() -> None:
    job_id, fence = claimed()
    jobs.wish(job_id, Desired.PAUSE)
    assert state(job_id) is JobState.RUNNING
    with write() as session:
        assert jobs.heartbeat(session, job_id, fence, "Training", 1, 2) is Desired.PAUSE


@pytest.mark.parametrize(
    ("afterwards", "expected"),
    [
        (Desired.RUN, JobState.QUEUED),
        (Desired.PAUSE, JobState.PAUSED),
        (Desired.STOP, JobState.QUEUED),
        (Desired.CANCEL, JobState.STOPPED),
    ],
)
@pytest.mark.parametrize("handed_back_as", [JobState.PAUSED, JobState.QUEUED])
def test_a_job_that_pauses_or_leaves_goes_where_it_is_wanted_by_then(
    handed_back_as: JobState, afterwards: Desired, expected: JobState
) -> None:
    job_id, fence = claimed()
    jobs.wish(job_id, Desired.PAUSE)
    jobs.wish(job_id, afterwards)
    jobs.finish(job_id, fence, handed_back_as)
    assert state(job_id) is expected


def test_a_wish_for_a_job_that_has_ended_changes_nothing() -> None:
    job_id, fence = claimed()
    jobs.finish(job_id, fence, JobState.DONE, {"answer": 42})
    before = jobs.get(job_id)
    for desired in Desired:
        jobs.wish(job_id, desired)
    assert jobs.get(job_id) == before
    assert jobs.wish("nobody", Desired.RUN) is None


def test_a_failed_job_can_be_tried_again_without_its_old_error() -> None:
    job_id, fence = claimed()
    jobs.finish(job_id, fence, JobState.FAILED, error={"title": "t", "cause": "c", "fix": "f", "action": None})
    jobs.retry(job_id)
    found = jobs.claim(ALL, "me")
    assert found is not None and found[0].error is None and found[0].attempt == 1


# -- owners that are gone ----------------------------------------------------------------------------------------------


class Clock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def never_started(job: Job, fence: int, me: str) -> subprocess.Popen[bytes]:
    raise AssertionError("no job should be started")


def watcher(clock: Clock) -> Supervisor:
    return Supervisor(never_started, clock=clock)


def dead_process() -> str:
    """The identity of a process of this machine that has ended."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = owners.identity(process.pid)
    assert owners.is_alive(owner)
    process.communicate(b"\n")
    return owner


def test_a_job_of_a_dead_process_of_this_machine_is_taken_back_at_once() -> None:
    job_id, fence = claimed(dead_process())
    watcher(Clock()).reconcile()
    assert state(job_id) is JobState.QUEUED
    with pytest.raises(jobs.FencedOut):
        jobs.finish(job_id, fence, JobState.DONE)


def test_a_job_of_this_worker_without_a_process_is_taken_back_at_once() -> None:
    worker = watcher(Clock())
    job_id, _ = claimed(worker.me)
    worker.reconcile()
    assert state(job_id) is JobState.QUEUED


def test_a_job_of_another_machine_is_taken_back_when_its_heart_did_not_beat_for_a_lease() -> None:
    clock = Clock()
    worker = watcher(clock)
    job_id, fence = claimed(ELSEWHERE)
    worker.reconcile()
    for _ in range(5):  # it beats: the lease begins anew each time
        clock.now += supervisor.LEASE_SECONDS - 1
        with write() as session:
            jobs.heartbeat(session, job_id, fence, "Training", 1, 2)
        worker.reconcile()
        assert state(job_id) is JobState.RUNNING
    clock.now += supervisor.LEASE_SECONDS - 1
    worker.reconcile()
    assert state(job_id) is JobState.RUNNING
    clock.now += 2
    worker.reconcile()
    assert state(job_id) is JobState.QUEUED


@pytest.mark.parametrize("jump", [-86_400, -3600, 3600, 86_400])
def test_setting_the_time_of_day_expires_no_lease(monkeypatch: pytest.MonkeyPatch, jump: int) -> None:
    clock = Clock()
    worker = watcher(clock)
    job_id, _ = claimed(ELSEWHERE)
    worker.reconcile()
    before = time.time
    monkeypatch.setattr(time, "time", lambda: before() + jump)
    worker.reconcile()
    clock.now += 1
    worker.reconcile()
    assert state(job_id) is JobState.RUNNING


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere psutil itself does not follow the clock")
def test_a_living_process_stays_alive_when_the_machines_clock_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    me = owners.identity()
    monkeypatch.setattr("psutil._pslinux.boot_time", lambda: 12345.0)  # what a start time of day is counted from
    assert owners.is_alive(me)


def test_another_process_with_the_same_number_is_not_the_owner() -> None:
    host, pid, started = owners.identity().rsplit(":", 2)
    assert owners.is_alive(f"{host}:{pid}:{started}x") is False
    assert owners.is_alive(f"elsewhere:{pid}:{started}") is None


def test_a_process_stays_alive_for_its_children_when_the_machine_gets_another_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    me = owners.identity()
    monkeypatch.setattr("socket.gethostname", lambda: "renamed")
    assert owners.runs_here(me)
    assert owners.is_alive(me) is None, "for others it may be a process of another machine"


def test_a_job_whose_owner_dies_again_and_again_fails_with_a_cause_and_a_fix() -> None:
    job_id = submit()
    owner = dead_process()
    for attempt in range(1, supervisor.MOST_ATTEMPTS + 1):
        assert state(job_id) is JobState.QUEUED, f"given up before attempt {attempt}"
        jobs.claim(ALL, owner)
        watcher(Clock()).reconcile()
    job = jobs.get(job_id)
    assert job is not None and job.state is JobState.FAILED and job.error is not None
    assert {"title", "cause", "fix"} <= job.error.keys()
    assert "3 times" in job.error["cause"]


def test_only_a_training_that_is_given_up_is_told_to_use_a_smaller_batch() -> None:
    for kind in JobKind:
        told = gave_up.error(kind, None, 3)
        assert "was killed 3 times" in told["cause"] and told["fix"]
        batches = kind in (JobKind.TRAIN, JobKind.FIND_RATE, JobKind.MITIGATE)
        assert ("batch" in told["fix"]) is batches is (told.get("action") == "smaller_batch")


def test_a_job_that_gets_further_between_two_deaths_is_never_given_up() -> None:
    job_id = submit()
    owner = dead_process()
    for _ in range(3 * supervisor.MOST_ATTEMPTS):
        found = jobs.claim(ALL, owner)
        assert found is not None
        with write() as session:
            jobs.progressed(session, job_id, found[1])
        watcher(Clock()).reconcile()
    assert state(job_id) is JobState.QUEUED


def test_a_job_that_was_cancelled_before_its_owner_died_is_stopped_and_not_failed() -> None:
    job_id = submit()
    for _ in range(supervisor.MOST_ATTEMPTS):
        jobs.claim(ALL, dead_process())
        if jobs.get(job_id).attempt == supervisor.MOST_ATTEMPTS:
            jobs.wish(job_id, Desired.CANCEL)
        watcher(Clock()).reconcile()
    assert state(job_id) is JobState.STOPPED


def test_leaving_in_an_orderly_way_counts_as_no_failed_attempt() -> None:
    job_id = submit()
    for _ in range(3 * supervisor.MOST_ATTEMPTS):
        found = jobs.claim(ALL, "me")
        assert found is not None and found[0].attempt == 1
        jobs.finish(job_id, found[1], JobState.QUEUED)


# -- one worker for a storage folder -----------------------------------------------------------------------------------

HOLDER = """
from core.store.files import folder
from core.worker.lock import SingleWorker

with SingleWorker(folder("state")):
    print("held", flush=True)
    input()
"""


def test_a_second_worker_on_the_same_storage_is_refused_until_the_first_has_gone() -> None:
    first = subprocess.Popen([sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert first.stdout is not None and first.stdout.readline() == b"held\n"
    assert owners.alive_worker(folder("state")) == owners.identity(first.pid)
    with pytest.raises(Exception, match="already running on this storage folder"), SingleWorker(folder("state")):
        pass
    assert owners.alive_worker(folder("state")) == owners.identity(first.pid), "the refused one removed the mark"
    first.kill()
    first.wait()
    assert owners.alive_worker(folder("state")) is None
    with SingleWorker(folder("state")):
        assert owners.alive_worker(folder("state")) == owners.identity()
    assert owners.alive_worker(folder("state")) is None


def test_what_a_job_needs_is_there_before_a_worker_can_see_the_job() -> None:
    seen: list[bool] = []

    def look(job_id: str) -> None:
        other = threading.Thread(target=lambda: seen.append(jobs.get(job_id) is not None))
        other.start()
        other.join()

    job_id = jobs.submit(JobKind.IMPORT, None, {}, prepare=look)
    assert seen == [False] and jobs.get(job_id) is not None
