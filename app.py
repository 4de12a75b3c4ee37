"""Tunewell: fine-tune a language model in the browser. Finds the screens, keeps the project in the address, runs one."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from core.schemas.errors import UserError
from core.services import projects, status
from core.store.migrate import migrate
from core.ui import jobs, screens, style
from core.ui.errors import guard
from core.ui.markup import plain
from core.ui.page import journey_rail

st.set_page_config(
    page_title="Tunewell",
    page_icon=str(style.ICON),
    layout="wide",
    # A menu entry of our own keeps the menu, and with it the choice between light and dark.
    menu_items={"About": "Tunewell: fine-tune a language model with your own examples, on your own machine."},
)


@st.cache_resource(show_spinner=False)
def _prepare() -> None:
    """Once for each server: the schema is current even when the dashboard is started without run.py."""
    migrate()


def sync_project() -> None:
    """Keep the project in the address: a screen opened without it gets the session's last one."""
    chosen = st.query_params.get("project")
    if chosen:
        st.session_state["last_project"] = chosen
    elif st.session_state.get("last_project") and not st.session_state.get("at_projects"):
        st.query_params["project"] = st.session_state["last_project"]


_prepare()
pages = {
    s.key: st.Page(str(s.file), title=s.title, url_path=s.key if s.number else None, default=not s.number)
    for s in screens.all_screens()
}
current = st.navigation(list(pages.values()), position="hidden")
key = next(k for k, page in pages.items() if page == current or page.title == current.title)
st.session_state["at_projects"] = key == "projects"
sync_project()
style.apply()
with st.sidebar:
    st.markdown("### Tunewell")
    chosen = screens.project_id()
    if chosen:
        with suppress(UserError):  # an old address: the screen itself says so
            st.caption(plain(projects.get(chosen).name))
    journey_rail(screens.rail(key), screens.here())
    if not status.worker_is_alive():
        jobs.no_worker()
with guard():
    current.run()
