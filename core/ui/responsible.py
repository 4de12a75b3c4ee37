"""The questions about responsible use, where the task is defined, and what is still open, where it is audited."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.schemas.responsible import CONSENT, ResponsibleUse
from core.services import dataset_cards, projects, responsible
from core.services.dataset_cards import LICENCES
from core.store.tables import Project

from . import parts, screens

FIELDS = ResponsibleUse.model_fields


def responsible_panel(project: Project) -> None:
    """Five questions and the licence, each optional, with an example; kept as they are given."""
    # The label stays the same: Streamlit closes a panel whose label changes, here after each answer.
    with st.expander(
        "Responsible use: what it is for, and for whom it could go wrong", icon=":material/volunteer_activism:"
    ):
        left = len(responsible.open_points(project))
        st.caption(
            f"{'Nothing is' if not left else '1 point is' if left == 1 else f'{left} points are'} open. You can leave any "
            "of this open and go on. What is open is shown at the bias audit, and stands in the model card and the audit report."
        )
        given = responsible.answers(project)
        said: dict[str, Any] = {}
        for name in responsible.UNANSWERED:
            field = FIELDS[name]
            extra: Any = field.json_schema_extra
            said[name] = st.text_area(
                str(field.title), getattr(given, name), height=80, max_chars=2000, help=field.description,
                placeholder=f"For example: {extra['example']}", key=f"responsible-{project.id}-{name}",
            )  # fmt: skip
        one, two = st.columns(2)
        said["consent"] = one.selectbox(
            str(FIELDS["consent"].title), list(CONSENT), list(CONSENT).index(given.consent), format_func=CONSENT.__getitem__,
            help=FIELDS["consent"].description, key=f"responsible-{project.id}-consent",
        )  # fmt: skip
        notes = dataset_cards.notes(project)
        known = list(LICENCES) if notes.licence in LICENCES else [*LICENCES, notes.licence]
        licence = two.selectbox(
            "What is the licence of the data?", known, known.index(notes.licence),
            format_func=lambda name: LICENCES.get(name, name), help="What others may do with it. The dataset card says so too.",
        )  # fmt: skip
        changed = ResponsibleUse.model_validate(said)
        if changed != given or licence != notes.licence:
            responsible.keep(project, changed)
            if licence != notes.licence:
                fresh = projects.get(project.id)
                dataset_cards.keep_notes(fresh, notes.model_copy(update={"licence": licence}))
            st.rerun()


def open_points_panel(project: Project) -> None:
    """At the audit: what no measurement can answer and nobody has answered yet."""
    found = responsible.open_points(project)
    if not found:
        return
    with st.expander(
        f"{len(found)} open point{'' if len(found) == 1 else 's'} of responsible use",
        icon=":material/volunteer_activism:",
    ):
        st.caption("No audit can answer these: they need a person.")
        for point in found:
            st.markdown(f"- {parts.plain(point.text)}")
        st.page_link(
            screens.page_of("dataset"), label="Answer them on the Dataset screen", icon=":material/arrow_back:",
            query_params=screens.here(),
        )  # fmt: skip
