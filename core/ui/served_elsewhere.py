"""Before models are loaded: what another project serves to other programs would end, so the person is asked first."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.services import playground, projects
from core.store.tables import Run

from . import parts


def start_or_ask(run: Run, action: str, start: Callable[[], object]) -> None:
    """Begin with `start`, or first name whose address ends. Call it in the run in which the button was pressed."""
    other = playground.served_elsewhere(run.project_id)
    if other is None:
        start()
        st.rerun()
    assert other is not None and other.project_id is not None

    def begin() -> None:
        start()

    address = (other.result or {}).get("address")
    parts.confirm(
        "Stop serving the other project?",
        f"“{projects.get(other.project_id).name}” is served to other programs{f' at {address}' if address else ''}. Memory is "
        "for one project at a time: programs that ask there get no answer any more, until it is served again.",
        action,
        begin,
    )
