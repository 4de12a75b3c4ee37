"""The view of one run: what it is doing, its buttons, its curves, its samples, the coach, its own frozen settings."""

from __future__ import annotations

import streamlit as st

from core.schemas.curves import in_a_sentence
from core.schemas.errors import UserError
from core.schemas.jobs import Desired, Job, JobState
from core.schemas.recipe import Recipe
from core.services import coaching, queue, recipes, runs, status
from core.store.tables import Project, Run

from . import jobs, parts, screens
from .apart import apart
from .checkpoints_panel import checkpoints_panel, moments_panel
from .coach_panel import advice_of, coach_panel, follow, repair
from .curves_panel import curves_panel
from .recipe import duration

REFRESH_SECONDS = 1.0
RECENT = 20  # points of the speed curve that the time left is told from; one alone would make it jump
STATES = {
    JobState.QUEUED: ("Waiting", "gray"),
    JobState.RUNNING: ("Running", "blue"),
    JobState.PAUSED: ("Paused", "orange"),
    JobState.DONE: ("Done", "green"),
    JobState.STOPPED: ("Cancelled", "gray"),
    JobState.FAILED: ("Failed", "red"),
}
NOTED = {"memory": ":material/memory:", "cleared": ":material/folder_delete:"}  # events that are told above the curves
ENDINGS = {
    "done": "It did all its steps.",
    "early": "It stopped by itself when nothing improved any more.",
    "stopped": "It was stopped; the best checkpoint was kept.",
}
WISHES = {
    Desired.PAUSE: "pause",
    Desired.STOP: "stop and keep the best checkpoint",
    Desired.CANCEL: "end without a model",
}


def run_view(project: Project, run: Run, others: list[Run]) -> None:
    """Draw the run; while it is active, draw it again every second without losing zoom or hidden series."""
    follow(project, run)
    job = runs.job_of(run)
    if job is None:
        return
    if job.state.active:
        _live(project, run, others)
    else:
        _ended(project, run, others)
    # Outside of the part that refreshes itself, which would take the dialog away under the person's hand.
    asked = st.session_state.pop(f"asked-{run.id}", None)
    if asked == "stop":
        _ask_stop(run, job)
    elif asked == "cancel":
        _ask_cancel(run)


@st.fragment(run_every=REFRESH_SECONDS)
def _live(project: Project, run: Run, others: list[Run]) -> None:
    with parts.guard():  # a part that refreshes itself is drawn without the page around it
        job = runs.job_of(run)
        if job is None or not job.state.active:
            st.rerun()
        assert job is not None
        _body(project, run, others, job)


@apart
def _ended(project: Project, run: Run, others: list[Run]) -> None:
    job = runs.job_of(run)
    assert job is not None
    _body(project, run, others, job)


def _body(project: Project, run: Run, others: list[Run], job: Job) -> None:
    _head(run, job)
    if job.error:
        error = UserError.from_dict(job.error)
        known = error.action in coaching.TITLES
        parts.show_error(error, {error.action: repair(run, error.action)} if known and error.action else None)
    elif run.summary:
        _summary(run)
        screens.next_step("evaluation", "Next: see how good it is")  # also here: the end of the screen is far below
    _buttons(run, job)
    for event in [e for e in runs.events(run.id) if e.kind in NOTED]:
        st.info(f"**{event.title}.** {event.text}", icon=NOTED[event.kind])
    with st.container(key=f"coach-{run.id}"):
        advice = advice_of(run, job)
        coach_panel(run, job, advice)
    curves_panel(run, others, [mark for said in advice for mark in said.marks])
    moments_panel(run)
    checkpoints_panel(run)
    _samples(run)
    with st.expander("The settings of this run", icon=":material/lock:"):
        st.caption("Frozen when it started; editing the form does not change them.")
        st.code(recipes.to_yaml(Recipe.model_validate(run.recipe)), language="yaml")
    jobs.log(job.id)
    if run.summary:
        _train_on(run)
        screens.next_step("evaluation")


def _head(run: Run, job: Job) -> None:
    title, colour = STATES[job.state]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.badge(title, color=colour)  # type: ignore[arg-type]
        st.html(f"<strong>Round {run.number}: {run.name}</strong>", width="content")
    if run.note:
        st.caption(parts.plain(run.note))
    if not job.state.active:
        return
    if not status.worker_is_alive():
        jobs.no_worker()
    if job.state is JobState.QUEUED:
        ahead = queue.ahead(job)
        st.caption("It starts as soon as the worker is free" + (f": {ahead} before it." if ahead else "."))
        return
    share = min(1.0, job.done / job.total) if job.total else 0.0
    count = f" · {job.done:,.0f} of {job.total:,.0f}" if job.total else ""
    st.progress(share, text=f"{job.phase}{count}{_remaining(run, job)}")


def _remaining(run: Run, job: Job) -> str:
    if job.phase != "Training" or not job.total:
        return ""
    recent = [b.mean for b in runs.curve(run.id, "seconds_per_step", "batch")[-RECENT:] if b.mean]
    if not recent:
        return ""
    # A third more for the evaluations between the steps.
    return f" · about {duration((job.total - job.done) * sum(recent) / len(recent) * 1.3)} left"


def _summary(run: Run) -> None:
    summary = run.summary or {}
    metric = in_a_sentence(summary["best_metric"])
    rows = summary.get("examples", {}).get("validation")
    on = f"{rows:,} validation rows" if rows else "the validation rows"
    st.caption(
        f"{ENDINGS.get(summary['ended'], '')} Best checkpoint: step {summary['best_step']} of {summary['steps']}, where {metric} "
        f"on {on} was {summary['best_value']:.3f}. It took {duration(summary['seconds'])} on {summary['device']} and at most "
        f"{summary['peak_memory'] / 2**30:.1f} GB of memory. How good it really is, the evaluation says."
    )


def _buttons(run: Run, job: Job) -> None:
    """Pause, resume, stop and keep, cancel; what is lost is said first."""
    with st.container(horizontal=True, gap="small"):
        if job.state.active and job.desired is Desired.RUN:
            if st.button("Pause", icon=":material/pause:", key=f"pause-{run.id}"):
                runs.wish(run, Desired.PAUSE)
                st.rerun()
            if job.state is JobState.RUNNING and st.button(
                "Stop and keep", icon=":material/stop:", key=f"stop-{run.id}"
            ):
                _ask(run, "stop")
        if job.state is JobState.PAUSED and st.button("Resume", icon=":material/play_arrow:", type="primary"):
            runs.wish(run, Desired.RUN)
            st.rerun()
        if job.state in (JobState.FAILED, JobState.STOPPED) and st.button("Try again", icon=":material/refresh:"):
            runs.try_again(run)
            st.rerun()
        if job.state.active and job.desired is not Desired.RUN:
            st.caption(f"Asked to {WISHES[job.desired]}: it follows after the current step.")
        if not job.state.final and st.button(
            "Cancel", icon=":material/close:", key=f"cancel-{run.id}", type="tertiary"
        ):
            _ask(run, "cancel")


def _ask(run: Run, what: str) -> None:
    """Have the page, not the refreshing part, ask before it is done."""
    st.session_state[f"asked-{run.id}"] = what
    st.rerun()


def _ask_cancel(run: Run) -> None:
    parts.confirm(
        "Cancel this training?",
        "It ends without a model. To keep what was learned so far, use Stop and keep instead.",
        "Cancel training",
        lambda: runs.wish(run, Desired.CANCEL),
    )


def _train_on(run: Run) -> None:
    """More epochs for a finished run, from its newest checkpoint."""
    with st.popover("Train on", icon=":material/add_circle:"):
        st.caption(
            "Goes on from the newest checkpoint with the same data and settings, as a new round. The rate falls anew."
        )
        if not runs.checkpoints(run.id):
            st.caption("Its checkpoints were removed: begin a new round instead.")
            return
        more = st.number_input("More epochs", 1, 1000, 2, key=f"more-{run.id}", help=parts.term("epoch"))
        if st.button("Train on", key=f"extend-{run.id}", type="primary"):
            with parts.guard():
                screens.go("training", run=runs.extend(run, float(more)).id)


def _ask_stop(run: Run, job: Job) -> None:
    left = f"{job.total - job.done:,.0f} of {job.total:,.0f} steps" if job.total else "the remaining steps"
    parts.confirm(
        "Stop here and keep the best checkpoint?",
        f"You lose {left}; what was learned so far is kept, evaluated once more, and can be used. To go on later, "
        "use Pause instead.",
        "Stop and keep",
        lambda: runs.wish(run, Desired.STOP),
    )


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
