"""Time and energy that a project took: time from its jobs and runs, energy only where a device measured it."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from core.schemas.jobs import Job, JobKind
from core.store import jobs
from core.store.tables import Run

WORDS: dict[JobKind, str] = {
    JobKind.IMPORT: "Reading data",
    JobKind.CHECK: "Health report",
    JobKind.COMPARE: "Comparing base models",
    JobKind.FIND_RATE: "Finding a learning rate",
    JobKind.MEASURE: "Trying whether it fits",
    JobKind.TRAIN: "Training",
    JobKind.EVALUATE: "Evaluation",
    JobKind.GENERATE: "Writing samples",
    JobKind.JUDGE: "Asking a judge",
    JobKind.AUDIT: "Bias audit",
    JobKind.MITIGATE: "Corrective actions",
    JobKind.EXPORT: "Export",
}
NOT_MEASURED = (
    "Energy was not measured: Tunewell reads no power meter, and a guess from the time alone could be far off."
)


class Spent(NamedTuple):
    """Jobs of one kind: how many ended, and their seconds of wall clock from the last start to the end."""

    title: str
    jobs: int
    seconds: float


def of_project(project_id: str) -> list[Spent]:
    """Finished jobs by kind, the longest first. Time before a job that was paused or killed began again is not in it."""
    found: dict[str, list[Job]] = defaultdict(list)
    for job in jobs.find(project_id=project_id, kinds=tuple(WORDS)):
        if job.started_at is not None and job.finished_at is not None:
            found[WORDS[job.kind]].append(job)
    spent = [
        Spent(title, len(each), sum((j.finished_at or 0.0) - (j.started_at or 0.0) for j in each))
        for title, each in found.items()
    ]
    return sorted(spent, key=lambda s: -s.seconds)


def training_seconds(run: Run) -> float | None:
    """Seconds of the training steps and evaluations of a finished round, with all its parts where it was paused."""
    seconds = (run.summary or {}).get("seconds")
    return float(seconds) if seconds is not None else None


def in_words(seconds: float) -> str:
    """A length of time: "42 seconds", "3 min 20 s", "2 h 05 min"."""
    whole = round(seconds)
    if whole < 100:
        return f"{whole} second{'s' * (whole != 1)}"
    if whole < 6_000:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600:,} h {whole % 3600 // 60:02d} min"
