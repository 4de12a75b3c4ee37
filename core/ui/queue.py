"""What waits for the processor or the graphics card, in its order, with buttons that change the order."""

from __future__ import annotations

import streamlit as st

from core.services import queue
from core.store.tables import Project

from . import parts

REFRESH_SECONDS = 2.0
SHOWN = 12


def queue_panel(project: Project) -> None:
    """Nothing where nothing waits; else the list, drawn again every two seconds until it is empty."""
    if queue.waiting():
        _panel(project.id)


@st.fragment(run_every=REFRESH_SECONDS)
@parts.guard()
def _panel(project_id: str) -> None:
    found = queue.waiting()
    if not found:
        st.rerun()
    with st.expander(f"Waiting: {len(found)}", icon=":material/queue:", key="queue", expanded=len(found) > 1):
        st.caption("One at a time is worked on. The first in this list is next.", help=parts.term("queue"))
        for item in found[:SHOWN]:
            _row(item, project_id)
        if len(found) > SHOWN:
            st.caption(f"And {len(found) - SHOWN} more.")


def _row(item: queue.Waiting, project_id: str) -> None:
    text, up, first, out = st.columns([8, 1, 1, 1], vertical_alignment="center", gap="xsmall")
    elsewhere = "" if item.job.project_id == project_id else f" · project {parts.plain(item.project_name)}"
    text.markdown(f"{item.place}. {parts.plain(item.what)}{elsewhere}")
    key, top = item.job.id, item.place == 1
    up.button("", icon=":material/arrow_upward:", key=f"up-{key}", help="Move up by one", disabled=top,
              on_click=queue.move_up, args=(key,), type="tertiary")  # fmt: skip
    first.button("", icon=":material/vertical_align_top:", key=f"first-{key}", help="Do it next", disabled=top,
                 on_click=queue.move_first, args=(key,), type="tertiary")  # fmt: skip
    out.button("", icon=":material/close:", key=f"remove-{key}", help="Take it out of the queue; nothing of it is done",
               on_click=queue.remove, args=(key,), type="tertiary")  # fmt: skip
