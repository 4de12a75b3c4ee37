"""The worker as a person has it: killed at any moment, ended, paused, crashed; and what it says when it gives up."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
import stored
import tiny_training as tiny
from databases import migrated
from job_processes import fork_server, job_processes
from sqlalchemy.exc import OperationalError
from waiting import until

from core.atomic import is_whole
from core.schemas.errors import DiskFull, UserError
from core.schemas.jobs import Desired, Job, JobKind, JobState
from core.schemas.recorder import Interrupted
from core.services import projects, runs
from core.store import curves, jobs, owners, records
from core.store.engine import engine
from core.store.files import job_log, run_folder
from core.store.tables import Project, Run
from core.worker import child, supervisor
from core.worker.recorder import JobRecorder, until_written
from core.worker.supervisor import Supervisor

LONG = 240.0  # seconds; a busy machine needs most of a minute to load the training engine alone
STEPS = 160


def state(job_id: str | None) -> JobState:
    job = jobs.get(job_id or "")
    assert job is not None
    return job.state


# -- real processes ----------------------------------------------------------------------------------------------------


class Workplace:
    """A storage folder, a real worker process on it that can be ended and started again, and a project to train."""

    def __init__(self, folder: Path, base: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        migrated()
        self.project_id = stored.trainable(base)

    def start(self) -> None:
        self.end()  # one that a failed test left behind
        with open(self.folder / "worker.log", "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "core", "worker"],
                stdout=log,
                stderr=log,
                # One thread: two that wait for one another crawl on a busy machine.
                env={**os.environ, "OMP_NUM_THREADS": "1", "TUNEWELL_PARENT_PID": str(os.getpid())},
            )

    def end(self) -> int | None:
        """SIGTERM, as the launcher sends it. Returns the exit status."""
        process, self.process = self.process, None
        if process is None:
            return None
        process.terminate()
        return process.wait(90)

    def children(self) -> list[psutil.Process]:
        assert self.process is not None
        return job_processes(self.process.pid)

    def train(self) -> Run:
        return stored.slow_training(self.project_id)

    def reach(self, run: Run, step: int) -> None:
        """Wait until the run is past this step and still at work."""

        def there() -> bool:
            assert state(run.job_id) in (JobState.QUEUED, JobState.RUNNING), jobs.get(run.job_id or "")
            return curves.latest(run.id).get(("loss", "batch"), (0, None))[0] >= step

        until(there, f"step {step}", LONG)

    def done(self, run: Run, wanted: JobState = JobState.DONE) -> None:
        until(lambda: state(run.job_id) is wanted or state(run.job_id).final, f"the run is {wanted}", LONG)
        assert state(run.job_id) is wanted, jobs.get(run.job_id or "")


@pytest.fixture(scope="module")
def place(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    folder = tmp_path_factory.mktemp("workplace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEWELL_STORAGE", str(folder))
        made = Workplace(folder, small_model)
        yield made
        made.end()
        engine().dispose()


@pytest.fixture(scope="module")
def undisturbed(place: Workplace) -> Run:
    """A training that nothing interrupts: what all others must be equal to."""
    place.start()
    run = place.train()
    place.done(run)
    place.end()
    return run


def curves_of(run: Run) -> dict[tuple[str, str], list[tuple[int, float | None]]]:
    return {
        (split, name): [(p.step, p.value) for p in curves.points(run.id, [(name, split)])]
        for name, split in curves.names(run.id)
        if name not in tiny.MEASURED
    }


def assert_equal_to(undisturbed: Run, run: Run) -> None:
    """The same weights bit by bit, the same curves with no step missing or doubled, and the same result."""
    for name in ("model", f"checkpoints/checkpoint-{STEPS}"):
        file = Path(name) / "adapter_model.safetensors"
        assert (run_folder(run.id) / file).read_bytes() == (run_folder(undisturbed.id) / file).read_bytes(), name
    assert [step for step, _ in curves_of(run)["batch", "loss"]] == list(range(1, STEPS + 1))
    assert curves_of(run) == curves_of(undisturbed)
    kept = {"ended", "steps", "best_step", "best_value", "train_tokens", "examples"}
    ends = [{k: v for k, v in (runs.get(r.id).summary or {}).items() if k in kept} for r in (run, undisturbed)]
    assert ends[0] == ends[1] and ends[0]["steps"] == STEPS


def resumptions(run: Run) -> int:
    return sum(event.kind == "resumed" for event in curves.events(run.id))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_run_whose_process_and_then_whose_worker_is_killed_ends_as_if_nothing_had_happened(
    place: Workplace, undisturbed: Run
) -> None:
    place.start()
    run = place.train()
    place.reach(run, 30)
    assert place.process is not None
    server = fork_server(place.process.pid)
    (process,) = place.children()
    assert server is not None and process.ppid() == server.pid
    process.kill()
    place.reach(run, 80)
    assert resumptions(run) == 1

    (process,) = place.children()
    assert process.ppid() == server.pid
    server.kill()  # what it has forked goes on without it
    place.reach(run, 100)
    assert resumptions(run) == 1
    place.process.kill()
    place.process.wait()
    process.wait(5)  # raises when the child outlives its worker
    assert state(run.job_id) is JobState.RUNNING, "nobody was there to write anything else"

    place.start()
    place.done(run)
    assert place.end() == 0
    assert_equal_to(undisturbed, run)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_run_that_is_saved_when_the_worker_ends_and_paused_later_ends_as_if_nothing_had_happened(
    place: Workplace, undisturbed: Run
) -> None:
    place.start()
    run = place.train()
    place.reach(run, 30)
    assert place.end() == 0
    assert state(run.job_id) is JobState.QUEUED
    saved = curves.checkpoints(run.id)[0]
    assert is_whole(run_folder(run.id) / saved.folder)
    assert curves.latest(run.id)["loss", "batch"][0] == saved.step, "steps were lost, or recorded after the checkpoint"

    place.start()
    place.reach(run, 80)
    runs.wish(run, Desired.PAUSE)
    place.done(run, JobState.PAUSED)
    until(lambda: place.children() == [], "the process of the paused run has gone")
    runs.wish(run, Desired.RUN)
    place.done(run)
    assert place.end() == 0
    assert_equal_to(undisturbed, run)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_run_of_a_project_that_is_deleted_ends_at_once(place: Workplace, small_model: Path) -> None:
    other = Workplace(place.folder, small_model)
    other.start()
    run = other.train()
    process = until(other.children, "the process of the run", LONG)[0]
    projects.delete(other.project_id)
    process.wait(20)
    assert curves.points(run.id, [("loss", "batch")]) == []
    assert other.end() == 0


def test_a_job_that_crashes_fails_with_a_reference_and_leaves_its_traceback_in_the_log_alone(place: Workplace) -> None:
    place.start()
    job_id = jobs.submit(JobKind.IMPORT, None, {"nothing": "that an import needs"})
    until(lambda: state(job_id).final, "the end of the job", LONG)
    job = jobs.get(job_id)
    assert job is not None and job.state is JobState.FAILED and job.error is not None and job.result is None
    assert "did not foresee" in job.error["title"]
    assert job_id in job.error["fix"]
    log = job_log(job_id).read_text()
    assert "Traceback" in log
    assert not any("Traceback" in str(text) or ".py" in str(text) for text in job.error.values())
    place.end()


def test_a_second_worker_leaves_with_a_status_of_its_own(place: Workplace) -> None:
    place.start()
    until(lambda: owners.alive_worker(place.folder / "state"), "the first worker", LONG)
    second = subprocess.run([sys.executable, "-m", "core", "worker"], capture_output=True, timeout=LONG)
    assert second.returncode == 3
    assert b"already running on this storage folder" in second.stdout
    assert place.end() == 0


def test_a_worker_ends_with_the_process_that_started_it(place: Workplace) -> None:
    starter = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    worker = subprocess.Popen(
        [sys.executable, "-m", "core", "worker"], env={**os.environ, "TUNEWELL_PARENT_PID": str(starter.pid)}
    )
    until(lambda: owners.alive_worker(place.folder / "state"), "the worker", LONG)
    starter.communicate(b"\n")
    assert worker.wait(30) == 0


# -- the supervisor, with processes that do nothing but what a test needs --------------------------------------------------


@pytest.fixture
def queue(storage: Path) -> Iterator[None]:
    migrated()
    yield
    engine().dispose()


def process(code: str) -> Callable[[Job, int, str], subprocess.Popen[bytes]]:
    return lambda job, fence, me: subprocess.Popen([sys.executable, "-c", code])


def submit() -> str:
    return jobs.submit(JobKind.EXPORT, None, {})


@pytest.mark.usefixtures("queue")
@pytest.mark.parametrize(
    ("code", "how"), [("import os; os.kill(os.getpid(), 9)", "was killed"), ("raise SystemExit(7)", "status 7")]
)
def test_a_job_whose_process_dies_three_times_without_getting_further_fails_in_words(code: str, how: str) -> None:
    job_id = submit()
    worker = Supervisor(process(code))

    def given_up() -> bool:
        worker.tick()
        return state(job_id).final

    until(given_up, "the job is given up")
    job = jobs.get(job_id)
    assert job is not None and job.state is JobState.FAILED and job.error is not None
    assert job.attempt == 3
    assert how in job.error["cause"] and "3 times in a row" in job.error["cause"]
    assert "Close what else uses memory" in job.error["fix"]  # of each kind: tests/test_jobs.py


@pytest.mark.usefixtures("queue")
def test_a_job_whose_process_waits_for_the_libraries_says_so() -> None:
    job_id = submit()
    worker = Supervisor(lambda *_: SimpleNamespace(pid=None, poll=lambda: None))  # type: ignore[arg-type,return-value]
    worker.tick()
    job = jobs.get(job_id)
    assert job is not None and (job.state, job.phase) == (JobState.RUNNING, "Starting the training engine")
    jobs.wish(job_id, Desired.CANCEL)
    worker.clock = lambda: time.monotonic() + 2 * supervisor.CANCEL_GRACE_SECONDS
    worker.tick()
    worker.tick()  # there is no process to end yet; the job sees the wish once it begins


@pytest.mark.usefixtures("queue")
def test_each_lane_does_one_job_at_a_time() -> None:
    made = [submit(), submit(), jobs.submit(JobKind.IMPORT, None, {})]
    worker = Supervisor(process("input()"))
    try:
        for _ in range(3):
            worker.tick()
        assert [state(job_id) for job_id in made] == [JobState.RUNNING, JobState.QUEUED, JobState.RUNNING]
    finally:
        for each in worker.children.values():
            each.process.kill()


@pytest.mark.usefixtures("queue")
def test_a_cancelled_job_that_does_not_listen_is_ended_after_a_grace_period() -> None:
    job_id, now = submit(), [0.0]
    worker = Supervisor(process("import time; time.sleep(600)"), clock=lambda: now[0])
    worker.tick()
    (running,) = worker.children.values()
    worker.tick()
    assert state(job_id) is JobState.RUNNING
    jobs.wish(job_id, Desired.CANCEL)
    worker.tick()
    now[0] += supervisor.CANCEL_GRACE_SECONDS - 1
    worker.tick()
    assert running.process.poll() is None, "it was not given the time to end by itself"
    now[0] += 2
    worker.tick()
    running.process.wait(10)
    worker.tick()
    assert state(job_id) is JobState.STOPPED


@pytest.mark.usefixtures("queue")
def test_a_process_that_cannot_be_started_leaves_the_job_in_the_queue_and_the_worker_alive() -> None:
    job_id = submit()

    def fail(*_: Any) -> subprocess.Popen[bytes]:
        raise OSError(12, "cannot allocate memory")

    worker = Supervisor(fail)
    worker.tick()
    assert state(job_id) is JobState.QUEUED
    assert worker.children == {}


HANGS = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"
)


@pytest.mark.usefixtures("queue")
@pytest.mark.parametrize("code", [HANGS, "print('ready', flush=True); input()"], ids=["hangs", "leaves"])
def test_when_the_worker_ends_its_jobs_go_back_into_the_queue_without_blame(
    monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setattr(supervisor, "CHECKPOINT_GRACE_SECONDS", 0.2)
    job_id = submit()

    def start(*_: Any) -> subprocess.Popen[bytes]:
        made = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert made.stdout is not None and made.stdout.readline() == b"ready\n"
        return made

    worker = Supervisor(start)
    worker.tick()
    (running,) = worker.children.values()
    worker.shut_down()
    assert running.process.poll() is not None
    job = jobs.get(job_id)
    assert job is not None and (job.state, job.attempt) == (JobState.QUEUED, 0)


# -- the child writes an end, whatever its work does -----------------------------------------------------------------------


@pytest.fixture
def do(queue: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Job]:
    """Do a job whose handler is the given function, as the child process does it, and return what became of it."""

    def run(handler: Callable[[Job, JobRecorder], Any], desired: Desired = Desired.RUN, leaving: bool = False) -> Job:
        monkeypatch.setitem(sys.modules, "core.worker.handlers.export_job", SimpleNamespace(run=handler))
        job_id = submit()
        found = jobs.claim([JobKind.EXPORT], "me")
        assert found is not None and found[0].id == job_id
        jobs.wish(job_id, desired)
        recorder = JobRecorder(job_id, found[1], None, lambda: None)
        recorder.start()
        if leaving:
            recorder.shut_down()
        child.run(found[0], found[1], recorder)
        job = jobs.get(job_id)
        assert job is not None
        return job

    return run


def raising(error: BaseException) -> Callable[..., Any]:
    def handler(*_: Any) -> Any:
        raise error

    return handler


def test_a_job_that_is_done_keeps_its_result(do: Callable[..., Job]) -> None:
    job = do(lambda job, recorder: {"folder": "exports/1"})
    assert (job.state, job.result, job.error) == (JobState.DONE, {"folder": "exports/1"}, None)
    assert job.finished_at is not None


def test_an_error_for_people_is_shown_as_it_was_written(do: Callable[..., Job]) -> None:
    job = do(raising(UserError("The disk is full.", "Nothing fits.", "Free some space.", "free")))
    assert job.state is JobState.FAILED
    assert job.error == {
        "title": "The disk is full.",
        "cause": "Nothing fits.",
        "fix": "Free some space.",
        "action": "free",
    }


@pytest.mark.parametrize("error", [ValueError("odd"), SystemExit(3), MemoryError(), KeyError("files")], ids=repr)
def test_an_error_that_nobody_foresaw_fails_the_job_with_a_reference(
    do: Callable[..., Job], capsys: pytest.CaptureFixture[str], error: BaseException
) -> None:
    job = do(raising(error))
    assert job.state is JobState.FAILED and job.error is not None
    assert type(error).__name__ in job.error["cause"] and job.id in job.error["fix"]
    assert "Traceback" in capsys.readouterr().err


def test_a_result_that_cannot_be_stored_fails_the_job_instead_of_leaving_it_running(do: Callable[..., Job]) -> None:
    job = do(lambda job, recorder: {"model": object()})
    assert job.state is JobState.FAILED and job.error is not None and job.result is None


@pytest.mark.parametrize(
    ("wish", "desired", "leaving", "expected"),
    [
        (Desired.PAUSE, Desired.PAUSE, False, JobState.PAUSED),
        (Desired.PAUSE, Desired.RUN, True, JobState.QUEUED),
        (Desired.PAUSE, Desired.PAUSE, True, JobState.PAUSED),
        (Desired.CANCEL, Desired.CANCEL, False, JobState.STOPPED),
    ],
)
def test_interrupted_work_goes_where_it_is_wanted(
    do: Callable[..., Job], wish: Desired, desired: Desired, leaving: bool, expected: JobState
) -> None:
    assert do(raising(Interrupted(wish)), desired, leaving).state is expected


def test_work_that_found_the_database_locked_is_tried_again(do: Callable[..., Job]) -> None:
    locked = OperationalError("BEGIN IMMEDIATE", {}, SimpleNamespace(sqlite_errorname="SQLITE_BUSY"))  # type: ignore[arg-type]
    assert do(raising(locked)).state is JobState.QUEUED


# -- results and ownership ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("write_it", ["deliver", "directly"])
def test_everything_that_a_handler_stores_is_refused_once_the_job_is_taken_back(
    do: Callable[..., Job], write_it: str
) -> None:
    def store() -> dict[str, Any]:
        return {"id": records.add(Project(name="a result", task=None)).id}

    def handler(job: Job, recorder: JobRecorder) -> dict[str, Any]:
        taken = threading.Thread(target=lambda: jobs.reclaim(job.id, recorder.fence, error=None))
        taken.start()
        taken.join()
        return recorder.deliver(store) if write_it == "deliver" else store()

    with pytest.raises(jobs.FencedOut):
        do(handler)
    assert records.count(Project) == 0


def test_a_result_and_the_job_that_made_it_are_stored_together_and_never_twice(do: Callable[..., Job]) -> None:
    calls = []

    def handler(job: Job, recorder: JobRecorder) -> dict[str, Any]:
        calls.append(job.id)
        recorder.deliver(lambda: {"id": records.add(Project(name="a result", task=None)).id})
        raise KeyboardInterrupt  # killed before the job could say that it is done

    with pytest.raises(KeyboardInterrupt):
        do(handler)
    ((job_id, _, fence, _),) = jobs.running()
    jobs.reclaim(job_id, fence, error=None)
    found = jobs.claim([JobKind.EXPORT], "the next worker")
    assert found is not None
    recorder = JobRecorder(job_id, found[1], None)
    recorder.start()
    child.run(found[0], found[1], recorder)
    job = jobs.get(job_id)
    (kept,) = records.find(Project)
    assert job is not None and (job.state, job.result) == (JobState.DONE, {"id": kept.id})
    assert calls == [job_id]


# -- a full disk -------------------------------------------------------------------------------------------------------

FULL = OperationalError("INSERT", {}, SimpleNamespace(sqlite_errorname="SQLITE_FULL"))  # type: ignore[arg-type]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), DiskFull(), FULL], ids=repr)
def test_work_that_meets_a_full_disk_is_paused_with_the_reason_and_goes_on_when_there_is_space(
    do: Callable[..., Job], error: Exception
) -> None:
    job = do(raising(error))
    assert job.state is JobState.PAUSED and job.desired is Desired.RUN and job.error is not None
    assert job.error["title"] == "Paused: the disk is full." and "Free some space" in job.error["fix"]
    free, now = [job.error["free"]], [0.0]
    worker = Supervisor(process("input()"), clock=lambda: now[0], free_space=lambda: free[0])
    for more, expected in (
        (0, JobState.PAUSED),
        (supervisor.SPACE_NEEDED - 1, JobState.PAUSED),
        (supervisor.SPACE_NEEDED, JobState.QUEUED),
    ):
        free[0], now[0] = job.error["free"] + more, now[0] + supervisor.SPACE_LOOK_SECONDS
        worker.release()
        assert state(job.id) is expected
    again = jobs.get(job.id)
    assert again is not None and again.error is None and again.attempt == 0


def test_a_job_that_met_a_full_disk_goes_on_when_the_person_says_so_and_never_against_their_wish(
    do: Callable[..., Job],
) -> None:
    job = do(raising(DiskFull()))
    jobs.wish(job.id, Desired.PAUSE)
    Supervisor(process("input()"), free_space=lambda: 10**18).release()
    assert state(job.id) is JobState.PAUSED
    jobs.wish(job.id, Desired.RUN)
    assert state(job.id) is JobState.QUEUED


def test_a_stop_that_met_a_full_disk_is_still_a_stop_afterwards_and_a_cancel_ends(do: Callable[..., Job]) -> None:
    job = do(raising(DiskFull()), Desired.STOP)
    assert job.state is JobState.PAUSED
    jobs.release(job.id)
    found = jobs.claim([JobKind.EXPORT], "me")
    assert found is not None and found[0].desired is Desired.STOP
    jobs.finish(job.id, found[1], JobState.DONE)
    assert do(raising(DiskFull()), Desired.CANCEL).state is JobState.STOPPED


def test_what_a_full_disk_kept_from_the_database_is_written_when_there_is_space() -> None:
    tries, pauses = [FULL, FULL], list[float]()

    def write_it() -> None:
        if tries:
            raise tries.pop()

    until_written(write_it, pauses.append)
    assert (tries, len(pauses)) == ([], 2)


def test_work_that_lost_its_job_writes_nothing(do: Callable[..., Job]) -> None:
    def handler(job: Job, recorder: JobRecorder) -> dict[str, Any]:
        ((job_id, _, fence, _),) = jobs.running()
        jobs.reclaim(job_id, fence, error=None)
        return {"stale": True}

    with pytest.raises(jobs.FencedOut):
        do(handler)
    (job,) = jobs.find()
    assert (job.state, job.result) == (JobState.QUEUED, None)


def test_a_child_without_its_parent_ends_even_while_its_work_is_busy(queue: None) -> None:
    code = (
        "import sys; from core.worker.processes import *; watch_parent(sys.argv[1], end_at_once, every=0.05)\n"
        "print('watching', flush=True)\n"
        "while True: sum(range(10000))"
    )
    parent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    watching = subprocess.Popen([sys.executable, "-c", code, owners.identity(parent.pid)], stdout=subprocess.PIPE)
    assert watching.stdout is not None and watching.stdout.readline() == b"watching\n"
    assert watching.poll() is None
    parent.kill()
    parent.wait()
    assert watching.wait(10) == 1
