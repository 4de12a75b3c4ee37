"""Show a job while it runs: phase, progress, wishes; and its error with the log once it failed."""

from __future__ import annotations

import streamlit as st

from core.schemas.errors import UserError
from core.schemas.jobs import Job
from core.services import runs, status

from .errors import guard, show_error
from .time_left import time_left

REFRESH_SECONDS = 1.0


def watch(job_id: str, title: str) -> bool:
    """Draw the job's progress until it ends, then draw the page once more. True while it runs or when it failed."""
    job = status.job(job_id)
    if job is None:
        return False
    if job.state.active:
        _live(job_id, title)
    elif job.error:
        failed(job)
    return job.state.active or job.error is not None


@st.fragment(run_every=REFRESH_SECONDS)
@guard()
def _live(job_id: str, title: str) -> None:
    job = status.job(job_id)
    if job is None or not job.state.active:
        st.rerun()
    assert job is not None
    share = min(1.0, job.done / job.total) if job.total else 0.0
    phase, count = in_words(job)
    if job.total and (remaining := time_left(job, st.session_state)):
        count = f"{count} · {remaining}"
    waiting = "waiting for the worker" if job.state == "queued" else "starting"
    with st.container(border=True):
        left, right = st.columns([5, 1], vertical_alignment="center")
        left.progress(share, text=f"**{title}** — {phase or waiting}{count}")
        if right.button("Cancel", key=f"cancel-{job_id}", width="stretch"):
            status.cancel(job_id)
    warn_without_worker()


def in_words(job: Job) -> tuple[str, str]:
    """Its phase and how far it is; megabytes, which a phase names as its unit at the end, with one decimal."""
    phase = job.phase.removesuffix(", megabytes")
    if not job.total:
        return phase, ""
    if phase != job.phase:
        return phase, f" · {job.done:,.1f} of {job.total:,.1f} MB" if job.total >= 1 else ""
    return phase, f" · {job.done:,.0f} of {job.total:,.0f}"


def warn_without_worker() -> None:
    """Say it where the worker is not there."""
    if not status.worker_is_alive():
        no_worker()


def no_worker() -> None:
    """Say that nothing will happen until the worker is there."""
    st.warning(
        "The background worker is not running, so nothing is being done. Start Tunewell with `python3 run.py`, which "
        "starts it and keeps it alive.",
        icon=":material/power_off:",
    )


def failed(job: Job) -> None:
    """The job's error with its log."""
    if job.error:
        show_error(UserError.from_dict(job.error))
    log(job.id)


def log(job_id: str) -> None:
    """The end of the job's log, to be opened."""
    with st.expander("Log", icon=":material/terminal:"):
        st.code(runs.log_tail(job_id) or "The log is empty.", language=None, height=300)
