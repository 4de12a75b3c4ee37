"""Is the background worker there, and what is it doing?"""

from __future__ import annotations

from core.schemas.jobs import Desired, Job, JobState
from core.store import jobs
from core.store.files import folder
from core.store.owners import alive_worker


def worker_is_alive() -> bool:
    return alive_worker(folder("state")) is not None


def active_jobs(project_id: str | None = None) -> list[Job]:
    """Queued and running jobs, oldest first: the order in which they will be done."""
    return jobs.find(project_id=project_id, states=[JobState.RUNNING, JobState.QUEUED])[::-1]


def job(job_id: str) -> Job | None:
    return jobs.get(job_id)


def cancel(job_id: str) -> None:
    """Ask a job to end without a result."""
    jobs.wish(job_id, Desired.CANCEL)
