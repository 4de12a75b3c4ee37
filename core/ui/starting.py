"""Where a preference training begins, chosen before its settings."""

from __future__ import annotations

import streamlit as st

from core.services import starting
from core.store.tables import Project

from .markup import note, paragraph

WHY = (
    "Learning from preferences moves a model between answers that it can give already. Teach it answers first (the task "
    "“Answer questions and follow instructions”), then let the preferences go on from that round."
)


def starting_panel(project: Project) -> None:
    """The base model or a finished round; nothing for tasks that always begin with the base model."""
    if not project.task or not starting.offered(project.task):
        return
    found = {run.id: run for run in starting.options(project)}
    if not found:
        st.html(note("info", "This training begins with the base model", paragraph(WHY)))
        return
    now = starting.chosen(project)
    key = f"starting-{project.id}"

    def keep() -> None:
        starting.choose(project, st.session_state[key])

    choices = [*found, starting.BASE]
    st.selectbox(
        "Begin with",
        choices,
        index=choices.index(now.id if now else starting.BASE),
        format_func=lambda r: f"Your model of round {found[r].number} · {found[r].name}" if r else "The base model",
        key=key,
        on_change=keep,
        help=WHY,
    )
    if now is None:
        st.html(note("warning", "The base model has not learned your kind of answers yet", paragraph(WHY)))
