"""Try a model: the worker keeps it loaded behind an address on loopback; `asking` asks it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from core.schemas.jobs import Desired, Job, JobKind
from core.store import jobs, records
from core.store.tables import Job as JobRow
from core.store.tables import Run

from . import offers, runs, status


def serving(project_id: str) -> Job | None:
    """The serving job of this project, if one is active. It answers for all its finished rounds."""
    return next(
        (j for j in status.active_jobs(project_id) if j.kind is JobKind.SERVE and j.desired is Desired.RUN), None
    )


def running(run: Run) -> Job | None:
    """The serving job that answers for this run, if it is active: its own, or one that serves other programs too."""
    job = serving(run.project_id)
    return job if job and (job.payload["run_id"] == run.id or job.payload.get("lasting")) else None


def model_of(job: Job, run: Run, name: str = offers.TUNED) -> str:
    """The name by which the job is asked for this run's `tuned` or `base` model; any other name stays as it is."""
    if job.payload["run_id"] == run.id or name not in (offers.TUNED, offers.BASE):
        return name
    return offers.name_of(run) if name == offers.TUNED else offers.base_name(runs.get(job.payload["run_id"]), run)


def start(run: Run, *, lasting: bool = False, port: int = 0, key: str = "") -> str:
    """Serve the models of the run's project. What is served already ends first: memory is for one. `lasting`: for other
    programs, until it is stopped, at `port` (0: a free one) and with `key` (a new one without)."""
    for job in status.active_jobs():
        if job.kind is JobKind.SERVE:
            jobs.wish(job.id, Desired.STOP)
    payload = {"run_id": run.id, "lasting": lasting, "port": port, "key": key or secrets.token_urlsafe(24)}
    return jobs.submit(JobKind.SERVE, run.project_id, payload)


def served_elsewhere(project_id: str) -> Job | None:
    """What another project serves to other programs just now: it would end with a start here."""
    return next(
        (
            job
            for job in status.active_jobs()
            if job.kind is JobKind.SERVE
            and job.desired is Desired.RUN
            and job.payload.get("lasting")
            and job.project_id != project_id
        ),
        None,
    )


def stop(run: Run) -> None:
    if job := running(run):
        stop_job(job)


def stop_job(job: Job) -> None:
    jobs.wish(job.id, Desired.STOP)


def last_lasting(project_id: str) -> Job | None:
    """The job that served other programs last: where its port and key were, and why it failed if it did."""
    found = jobs.find(project_id=project_id, kinds=[JobKind.SERVE])
    return next((job for job in found if job.payload.get("lasting")), None)


def announce(job_id: str, address: str, key: str, models: Sequence[str]) -> None:
    """Called by the worker when the server answers, and again when there are other models."""
    records.merge_json(JobRow, job_id, "result", {"address": address, "key": key, "models": list(models)})
