"""Questions before something that cannot be undone, and the keys that a screen listens to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape

import streamlit as st

from .errors import guard


def confirm(title: str, consequence: str, action: str, on_confirm: Callable[[], None]) -> None:
    """Ask before acting: what is lost stands in the text, the button names the act ("Delete project").

    Call it in the run in which the first button was pressed, and never inside a fragment that refreshes itself: its next
    refresh would forget the dialog, and a press in it would do nothing. On yes `on_confirm` runs and the page is drawn anew:

        if st.button("Delete"):
            confirm("Delete this project?", "Its runs are deleted too.", "Delete project", lambda: projects.delete(id))
    """

    def act() -> None:
        with guard():
            on_confirm()

    @st.dialog(title)
    def ask() -> None:
        st.text(consequence)
        with st.container(horizontal=True, horizontal_alignment="right"):
            if st.button("Cancel", key="confirm.cancel"):
                st.rerun()
            if st.button(action, key="confirm.yes", type="primary", on_click=act):
                st.rerun()

    ask()


def key_legend(keys: Mapping[str, str]) -> None:
    """Say which keys can be pressed: `{"1": "Left is better", "2": "Right is better"}`.

    The keys themselves come from `st.button(..., shortcut=...)`.
    """
    items = "".join(f"<span><kbd>{escape(key)}</kbd>{escape(meaning)}</span>" for key, meaning in keys.items())
    st.html(f'<div class="tw-keys" role="note" aria-label="Keys">{items}</div>')
