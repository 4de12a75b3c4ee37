"""The view of one run: what it is doing, its buttons, its curves, its samples, the coach, its own frozen settings."""

from __future__ import annotations

import time

import streamlit as st

from core.schemas.errors import UserError
from core.schemas.jobs import Desired, Job, JobState
from core.schemas.recipe import Recipe
from core.services import coaching, recipes, runs, status
from core.store.tables import Project, Run

from . import jobs, parts, screens
from .curves_panel import curves_panel
from .recipe import duration

REFRESH_SECONDS = 1.0
STATES = {
    JobState.QUEUED: ("Waiting", "gray"),
    JobState.RUNNING: ("Running", "blue"),
    JobState.PAUSED: ("Paused", "orange"),
    JobState.DONE: ("Done", "green"),
    JobState.STOPPED: ("Cancelled", "gray"),
    JobState.FAILED: ("Failed", "red"),
}
ENDINGS = {
    "done": "It did all its steps.",
    "early": "It stopped by itself when nothing improved any more.",
    "stopped": "You stopped it; the best checkpoint was kept.",
}


def run_view(project: Project, run: Run, others: list[Run]) -> None:
    """Draw the run; while it is active, draw it again every second without losing zoom or hidden series."""
    job = runs.job_of(run)
    if job is None:
        return
    if job.state.active:
        _live(project, run, others)
    else:
        _body(project, run, others, job)


@st.fragment(run_every=REFRESH_SECONDS)
def _live(project: Project, run: Run, others: list[Run]) -> None:
    job = runs.job_of(run)
    if job is None or not job.state.active:
        st.rerun()
    assert job is not None
    _body(project, run, others, job)


def _body(project: Project, run: Run, others: list[Run], job: Job) -> None:
    _head(run, job)
    if job.error:
        error = UserError.from_dict(job.error)
        repairs = {error.action: _repair(project, run, error.action)} if error.action in coaching.TITLES else None
        parts.show_error(error, repairs)  # type: ignore[arg-type]
    elif run.summary:
        _summary(run)
    _buttons(run, job)
    for event in [e for e in runs.events(run.id) if e.kind == "memory"]:
        st.info(f"**{event.title}.** {event.text}", icon=":material/memory:")
    with st.container(key=f"coach-{run.id}"):
        _coach(project, run, job)
    curves_panel(run, others)
    _samples(run)
    with st.expander("The settings of this run", icon=":material/lock:"):
        st.caption("Frozen when it started; editing the form does not change them.")
        st.code(recipes.to_yaml(Recipe.model_validate(run.recipe)), language="yaml")
    jobs.log(job.id)
    if run.summary:
        screens.next_step("evaluation")


def _head(run: Run, job: Job) -> None:
    title, colour = STATES[job.state]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(title, color=colour)  # type: ignore[arg-type]
        st.html(f"<strong>Round {run.number}: {run.name}</strong>", width="content")
    if not job.state.active:
        return
    if not status.worker_is_alive():
        jobs.no_worker()
    if job.state is JobState.QUEUED:
        ahead = [j for j in status.active_jobs() if j.created_at < job.created_at]
        st.caption("It starts as soon as the worker is free" + (f": {len(ahead)} before it." if ahead else "."))
        return
    share = min(1.0, job.done / job.total) if job.total else 0.0
    count = f" · {job.done:,.0f} of {job.total:,.0f}" if job.total else ""
    st.progress(share, text=f"{job.phase}{count}{_remaining(run, job)}")


def _remaining(run: Run, job: Job) -> str:
    if job.phase != "Training" or not job.total:
        return ""
    latest = runs.latest(run.id)
    speed = latest.get(("seconds_per_step", "batch"))
    tokens = latest.get(("tokens_per_second", "batch"))
    if not speed or not speed[1]:
        return ""
    text = f" · about {duration((job.total - job.done) * speed[1] * 1.3)} left"
    return text + (f" · {tokens[1]:,.0f} tokens a second" if tokens and tokens[1] else "")


def _summary(run: Run) -> None:
    summary = run.summary or {}
    st.caption(
        f"{ENDINGS.get(summary['ended'], '')} Best checkpoint: step {summary['best_step']} of {summary['steps']} "
        f"({summary['best_metric']} {summary['best_value']:.4f} on validation). {duration(summary['seconds'])} on "
        f"{summary['device']}, {summary['peak_memory'] / 2**30:.1f} GB of memory at most, {summary['precision']}."
    )


def _buttons(run: Run, job: Job) -> None:
    """Pause, resume, stop and keep, cancel; what is lost is said first."""
    with st.container(horizontal=True, gap="small"):
        if job.state.active and job.desired is Desired.RUN:
            if st.button("Pause", icon=":material/pause:", key=f"pause-{run.id}"):
                runs.wish(run, Desired.PAUSE)
                st.rerun()
            if st.button("Stop and keep", icon=":material/stop:", key=f"stop-{run.id}"):
                _ask_stop(run, job)
        if job.state is JobState.PAUSED and st.button("Resume", icon=":material/play_arrow:", type="primary"):
            runs.wish(run, Desired.RUN)
            st.rerun()
        if job.state in (JobState.FAILED, JobState.STOPPED) and st.button("Try again", icon=":material/refresh:"):
            runs.try_again(run)
            st.rerun()
        if not job.state.final and job.desired is not Desired.RUN:
            st.caption(f"Asked to {job.desired.value}: it follows after the current step.")
        if not job.state.final and st.button("Cancel", icon=":material/close:", key=f"cancel-{run.id}", type="tertiary"):
            parts.confirm(
                "Cancel this training?",
                "It ends without a model. To keep what was learned so far, use Stop and keep instead.",
                "Cancel training",
                lambda: runs.wish(run, Desired.CANCEL),
            )


def _ask_stop(run: Run, job: Job) -> None:
    left = f"{job.total - job.done:,.0f} of {job.total:,.0f} steps" if job.total else "the remaining steps"
    parts.confirm(
        "Stop here and keep the best checkpoint?",
        f"You lose {left}; what was learned so far is kept, evaluated once more, and can be used. To go on later, "
        "use Pause instead.",
        "Stop and keep",
        lambda: runs.wish(run, Desired.STOP),
    )


def _coach(project: Project, run: Run, job: Job) -> None:
    total = int((run.summary or {}).get("steps") or job.total or 0)
    for said in coaching.advice(run, total):
        draw = {"error": st.error, "warning": st.warning}.get(said.severity, st.info)
        draw(f"**{said.title}.** {said.text}", icon=":material/school:")
        if said.now == "stop" and job.state is JobState.RUNNING:
            if st.button("Stop and keep the best checkpoint", key=f"stop-{run.id}-{said.kind}", icon=":material/stop_circle:"):
                runs.wish(run, Desired.STOP)
                st.rerun()
        elif said.action and not job.state.active:
            label = f"{coaching.TITLES[said.action]} in the next round"
            if st.button(label, key=f"advice-{run.id}-{said.kind}"):
                next_round(project, run, said.action)


def _repair(project: Project, run: Run, action: str | None) -> tuple[str, object]:
    label = f"{coaching.TITLES[action or '']} and open the settings"
    return label, lambda: st.session_state.update({f"take-{run.id}": action, "taken_at": time.time()})


def next_round(project: Project, run: Run, action: str | None = None) -> None:
    """Copy the run's recipe into the form, with one piece of advice taken, and go there."""
    recipe = Recipe.model_validate(run.recipe)
    if action:
        recipe = coaching.apply(recipe, action)
    recipes.keep_draft(project, recipe)
    for key in [k for k in st.session_state if str(k).startswith(f"recipe-{project.id}")]:
        del st.session_state[key]
    st.session_state[f"parent-{project.id}"] = run.id
    screens.go("recipe")


def _samples(run: Run) -> None:
    """What it wrote at each evaluation."""
    found = [e for e in runs.events(run.id) if e.kind == "sample"]
    if not found:
        return
    with st.expander("What it writes", expanded=True, icon=":material/edit_note:"):
        steps = [e.step for e in found]
        step = st.select_slider("At step", steps, steps[-1]) if len(steps) > 1 else steps[0]
        event = found[steps.index(step)]
        for item in event.data["items"]:
            st.text(item["prompt"])
            st.code(item["text"] or "(nothing)", language=None, wrap_lines=True)
