"""What a job has started ends with it: the loaders of a cancelled training, and of a process that was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from databases import migrated
from waiting import until

from core.atomic import is_whole
from core.schemas.jobs import Desired, Job, JobKind, JobState
from core.schemas.recipe import Recipe
from core.services import runs
from core.store import curves, jobs
from core.store.engine import engine
from core.store.files import job_log, run_folder
from core.store.tables import Project
from core.worker.processes import apart
from core.worker.supervisor import Supervisor

pytestmark = pytest.mark.skipif(os.name != "posix", reason="groups of processes are those of POSIX")
LOADERS = 4
SECONDS = 10.0  # that a cancel may take, by the scorecard
STARTS_LOADERS = f"""
import subprocess, sys, time
for _ in range({LOADERS}):  # each in the care of a process that has ended, so that no tree leads to it any more
    code = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])"
    subprocess.run([sys.executable, "-c", code])
print("ready", flush=True)
"""
TRAINS_WITH_LOADERS = f"""
from core.training import arguments
plain = arguments._common
arguments._common = lambda *given: {{**plain(*given), "dataloader_num_workers": {LOADERS}}}
from core.worker import child
child.main()
"""


@pytest.fixture
def queue(storage: Path) -> Iterator[None]:
    migrated()
    yield
    engine().dispose()


def family(group: int) -> list[psutil.Process]:
    """Every living process of the group, the first one included."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
    return found


@pytest.mark.usefixtures("queue")
@pytest.mark.parametrize("ends", ["by itself", "killed"])
def test_a_process_that_ended_leaves_nothing_behind_that_it_had_started(ends: str) -> None:
    code = STARTS_LOADERS + ("time.sleep(600)" if ends == "killed" else "")
    jobs.submit(JobKind.EXPORT, None, {})
    command = [sys.executable, "-c", code]
    worker = Supervisor(lambda job, fence, me: subprocess.Popen(command, stdout=subprocess.PIPE, **apart()))
    worker.tick()
    (child,) = worker.children.values()
    assert child.process.stdout is not None
    with child.process.stdout as said:
        assert said.readline() == b"ready\n"
    if ends == "killed":
        child.process.kill()
    child.process.wait(30)
    assert len(family(child.process.pid)) == LOADERS, "what it started was to outlive it"
    worker.reap()
    until(lambda: not family(child.process.pid), "the end of the loaders", SECONDS)


def test_what_an_orphan_has_started_ends_with_it() -> None:
    starter = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    watching = "import sys\nfrom core.store.owners import identity\nfrom core.worker.processes import *\n"
    watching += f"watch_parent(identity({starter.pid}), end_at_once, every=0.05)\n"
    child = subprocess.Popen([sys.executable, "-c", watching + STARTS_LOADERS + "time.sleep(600)"], **apart())
    until(lambda: len(family(child.pid)) == LOADERS + 1, "the loaders")
    starter.communicate(b"\n")
    child.wait(SECONDS)
    until(lambda: not family(child.pid), "the end of the loaders", SECONDS)


@pytest.mark.slow
def test_a_cancelled_training_with_four_loaders_leaves_none_and_keeps_its_last_checkpoint(
    small_project: Project,
) -> None:
    recipe = Recipe(method="lora", batch_size=16, epochs=50, evaluations_per_epoch=10, early_stopping=0)
    run = runs.start(small_project.id, recipe)

    def start(job: Job, fence: int, me: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-c", TRAINS_WITH_LOADERS, job.id, str(fence), me]
        with open(job_log(job.id), "ab") as log:
            return subprocess.Popen(command, env=environment, stdout=log, stderr=log, **apart())

    worker = Supervisor(start)
    worker.tick()
    (child,) = worker.children.values()
    try:
        until(lambda: curves.checkpoints(run.id), "a checkpoint", 240)
        until(lambda: len(family(child.process.pid)) >= 1 + LOADERS, "the loaders at work")
        runs.wish(run, Desired.CANCEL)

        def ended() -> bool:
            worker.tick()
            return not worker.children and not family(child.process.pid)

        until(ended, "the end of the training and its loaders", SECONDS)
    finally:
        child.process.send_signal(signal.SIGKILL)
        os.killpg(child.process.pid, signal.SIGKILL) if family(child.process.pid) else None
    job = jobs.get(run.job_id or "")
    assert job is not None and job.state is JobState.STOPPED
    kept = curves.checkpoints(run.id)
    assert kept and all(is_whole(run_folder(run.id) / c.folder) for c in kept)
