"""The waiting work in the order in which it will be done, and what a person may change about it."""

from __future__ import annotations

from dataclasses import dataclass

from core.schemas.jobs import LANES, Desired, Job, JobKind, JobState
from core.store import jobs, records
from core.store.tables import Project, Run

COMPUTE = LANES["compute"]  # one of these at a time: they share the processor or the graphics card
TITLES = {
    JobKind.MEASURE: "Measuring memory and time",
    JobKind.COMPARE: "Measuring how well base models know the texts",
    JobKind.FIND_RATE: "Finding a learning rate",
    JobKind.TRAIN: "Training",
    JobKind.EVALUATE: "Evaluation",
    JobKind.GENERATE: "Writing samples",
    JobKind.AUDIT: "Bias audit",
    JobKind.MITIGATE: "Training of a corrective action",
    JobKind.EXPORT: "Export",
    JobKind.PREDICT: "Predictions for a file",
}


@dataclass(frozen=True)
class Waiting:
    """One waiting job. `place` counts from 1; `what` names the work and, where there is one, its round."""

    job: Job
    place: int
    what: str
    project_name: str
    run_id: str | None


def waiting() -> list[Waiting]:
    """Everything that waits for the processor or the graphics card, of all projects, next one first."""
    names: dict[str, str] = {}
    out = []
    for place, job in enumerate(jobs.waiting(COMPUTE), start=1):
        if job.project_id and job.project_id not in names:
            project = records.get(Project, job.project_id)
            names[job.project_id] = project.name if project else ""
        run = records.get(Run, job.payload["run_id"]) if "run_id" in job.payload else None
        what = TITLES.get(job.kind, job.kind.value) + (f" of round {run.number}, {run.name}" if run else "")
        out.append(Waiting(job, place, what, names.get(job.project_id or "", ""), run.id if run else None))
    return out


def ahead(job: Job) -> int:
    """How many jobs will be done before this waiting one, the one at work included."""
    queued = [j.id for j in jobs.waiting(COMPUTE)]
    before = queued.index(job.id) if job.id in queued else 0
    return before + len(jobs.find(kinds=COMPUTE, states=[JobState.RUNNING]))


def move_up(job_id: str) -> None:
    jobs.move(job_id, COMPUTE)


def move_first(job_id: str) -> None:
    jobs.move(job_id, COMPUTE, first=True)


def remove(job_id: str) -> None:
    """Take a waiting job out. One that has begun in the meantime ends without a result."""
    jobs.wish(job_id, Desired.CANCEL)
