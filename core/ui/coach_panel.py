"""What the coach says of a run, each piece of advice with a button that takes it: for this run, the next, or where to look."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.data.coach import Advice
from core.schemas.jobs import Desired, Job, JobState
from core.schemas.recipe import Recipe
from core.services import coaching, runs
from core.services.next_round import prepare
from core.store.tables import Project, Run

from . import parts, screens
from .next_round import open_form

STOP = "Stop and keep the best checkpoint"


def advice_of(run: Run, job: Job) -> list[Advice]:
    return coaching.advice(run, int((run.summary or {}).get("steps") or job.total or 0))


def coach_panel(run: Run, job: Job, advice: Sequence[Advice]) -> None:
    for said in advice:
        draw = {"error": st.error, "warning": st.warning}.get(said.severity, st.info)
        draw(f"**{said.title}.** {said.text}", icon=":material/school:")
        with st.container(horizontal=True, gap="small"):
            _buttons(run, job, said)


def _buttons(run: Run, job: Job, said: Advice) -> None:
    key = f"{run.id}-{said.kind}"
    works = job.state is JobState.RUNNING and job.desired is Desired.RUN
    if said.now == "stop" and works and st.button(STOP, key=f"stop-{key}", icon=":material/stop_circle:"):
        runs.wish(run, Desired.STOP)
        st.rerun()
    # The page follows, not the part of it that refreshes itself: that one cannot open another screen.
    if said.action and st.button(f"{coaching.TITLES[said.action]} in the next round", key=f"advice-{key}"):
        st.session_state[f"take-{run.id}"] = said.action
        st.rerun()
    if said.look and st.button(coaching.LOOKS[said.look], key=f"look-{key}", icon=":material/search:"):
        st.session_state[f"look-{run.id}"] = said.look
        st.rerun()


def follow(project: Project, run: Run) -> None:
    """Open what a button of the last press asked for."""
    if taken := st.session_state.pop(f"take-{run.id}", None):
        next_round(project, run, taken)
    if look := st.session_state.pop(f"look-{run.id}", None):
        screens.go(look)


def repair(run: Run, action: str) -> parts.Repair:
    """A button below an error that starts the next round with one setting changed."""
    return f"{coaching.TITLES[action]} and open the settings", lambda: st.session_state.update(
        {f"take-{run.id}": action}
    )


def next_round(project: Project, run: Run, action: str) -> None:
    """Copy the run's recipe into the form with one piece of advice taken, and go there."""
    prepare(project, run, coaching.apply(Recipe.model_validate(run.recipe), action))
    open_form(project)
