"""Where a preference training begins, chosen before its settings."""

from __future__ import annotations

import streamlit as st

from core.services import starting
from core.store.tables import Project
from core.tasks import registry as tasks

from .markup import note, paragraph

ON_TOP = (
    "Going on keeps what a round learned and learns on top of it: quicker, but what it got wrong stays in. From the base model, "
    "what comes out depends on these settings and this data alone."
)
WHY = (
    "Learning from preferences moves a model between answers that it can give already. Teach it answers first (the task "
    "“Answer questions and follow instructions”), then let the preferences go on from that round."
)


def starting_panel(project: Project) -> None:
    """The base model or a finished round; nothing where there is no choice."""
    if not project.task:
        return
    preference = tasks()[project.task].preference
    found = {run.id: run for run in starting.options(project)}
    if not found:
        if preference:
            st.html(note("info", "This training begins with the base model", paragraph(WHY)))
        return
    now = starting.chosen(project)
    key = f"starting-{project.id}"

    def keep() -> None:
        starting.choose(project, st.session_state[key])

    choices = [*found, starting.BASE] if preference else [starting.BASE, *found]
    st.selectbox(
        "Begin with",
        choices,
        index=choices.index(now.id if now else starting.BASE),
        format_func=lambda r: f"Your model of round {found[r].number} · {found[r].name}" if r else "The base model",
        key=key,
        on_change=keep,
        help=WHY if preference else ON_TOP,
    )
    if now is None and preference:
        st.html(note("warning", "The base model has not learned your kind of answers yet", paragraph(WHY)))
