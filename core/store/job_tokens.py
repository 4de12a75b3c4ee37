"""Secrets that a job needs: each in a file that only this person can read, never in the database, and gone afterwards."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from . import jobs
from .files import folder

YOUNG_SECONDS = 60.0  # the file of a job comes before its row


def leave_token(job_id: str, token: str) -> None:
    """Keep a token for a job, if there is one."""
    if not token:
        return
    with open(os.open(_file(job_id), os.O_WRONLY | os.O_CREAT, 0o600), "w") as stream:
        stream.write(token)


def read_token(job_id: str) -> str | None:
    """The token of a job that may have to go on with it later; `take_token` when the job is over."""
    path = _file(job_id)
    return path.read_text() if path.exists() else None


def take_token(job_id: str) -> str | None:
    """The token of a job, which is gone afterwards."""
    token = read_token(job_id)
    _file(job_id).unlink(missing_ok=True)
    return token


def forget_tokens(now: Callable[[], float] = time.time) -> None:
    """Delete the tokens of jobs that ended without taking theirs: one that was cancelled while it waited, for example."""
    for path in folder("state").glob("token-*"):
        job = jobs.get(path.name.removeprefix("token-"))
        if (job is None or job.state.final) and now() - path.stat().st_mtime > YOUNG_SECONDS:
            path.unlink(missing_ok=True)


def _file(job_id: str) -> Path:
    return folder("state") / f"token-{job_id}"
