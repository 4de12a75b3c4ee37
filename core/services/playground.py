"""Try a model: the worker keeps it loaded behind an address on loopback, and this asks it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from core.schemas.errors import UserError
from core.schemas.jobs import Desired, Job, JobKind
from core.store import jobs, records
from core.store.tables import Job as JobRow
from core.store.tables import Run

from . import status

TIMEOUT_SECONDS = 300


def running(run: Run) -> Job | None:
    """The serving job of this run, if it is active."""
    return next(
        (j for j in status.active_jobs(run.project_id) if j.kind is JobKind.SERVE and j.payload["run_id"] == run.id),
        None,
    )


def start(run: Run) -> str:
    """Load the run's models. Others that are loaded are put away first: memory is for one."""
    for job in status.active_jobs():
        if job.kind is JobKind.SERVE:
            jobs.wish(job.id, Desired.STOP)
    return jobs.submit(JobKind.SERVE, run.project_id, {"run_id": run.id})


def stop(run: Run) -> None:
    if job := running(run):
        jobs.wish(job.id, Desired.STOP)


def announce(job_id: str, address: str, key: str) -> None:
    """Called by the worker when the models are loaded."""
    records.merge_json(JobRow, job_id, "result", {"address": address, "key": key})


def ask(job: Job, path: str, question: Mapping[str, Any]) -> dict[str, Any]:
    """Send a question to the loaded models. Raises UserError when they are gone or refuse."""
    place = job.result or {}
    request = urllib.request.Request(
        f"{place.get('address')}{path}",
        json.dumps(dict(question)).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {place.get('key')}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as reply:
            return dict(json.loads(reply.read()))
    except urllib.error.HTTPError as error:
        raise UserError(
            "The model could not answer.",
            error.read().decode("utf-8", "replace")[:300],
            "Change the text and try again.",
        ) from error
    except (urllib.error.URLError, TimeoutError, OSError) as error:
        raise UserError(
            "The model is not loaded any more.",
            "It was put away after ten idle minutes, or its process ended.",
            "Load it again.",
        ) from error
