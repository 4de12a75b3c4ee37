"""The frame of every screen: its header, the journey beside it, and the box that says what a step still needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

import streamlit as st

from .markup import note, paragraph

State = Literal["done", "current", "open", "blocked"]

_ICONS: dict[State, str] = {
    "done": ":material/check_circle:",
    "current": ":material/radio_button_checked:",
    "open": ":material/radio_button_unchecked:",
    "blocked": ":material/lock:",
}
_WORDS: dict[State, str] = {"done": "Done", "current": "You are here", "open": "Ready", "blocked": "Not possible yet"}


@dataclass(frozen=True)
class Step:
    """One stop of the journey. `page` is what `st.page_link` takes (a file or an `st.Page`); `why` says what a blocked
    step still needs. Without a number it is a screen beside the step above it; 0 is where projects are chosen."""

    number: int | None
    title: str
    page: Any
    state: State = "open"
    why: str = ""


def page_header(number: int | None, title: str, purpose: str, *, of: int = 9) -> None:
    """The head of a screen: "Step 3 of 9" (nothing for 0 or None), its title and its purpose in one sentence."""
    with st.container(gap="xxsmall"):
        if number:
            st.html(f'<p class="tw-eyebrow">Step {number} of {of}</p>')
        st.title(title, anchor=False)
        st.html(f'<p class="tw-purpose">{escape(purpose)}</p>')


def journey_rail(steps: Sequence[Step], query_params: Mapping[str, str] | None = None) -> None:
    """The steps as links with their state as an icon and in the tooltip. Draw it once in app.py, inside `st.sidebar`.

    Blocked steps stay links: every screen can be opened and says itself what is missing.
    """
    with st.container(key="tw-rail", gap=None):
        for step in steps:
            why = f": {step.why}" if step.why else ""
            st.page_link(
                step.page,
                label=f"{step.number}\u2002{step.title}" if step.number else step.title,
                icon=":material/account_tree:"
                if step.number is None and step.state != "blocked"
                else _ICONS[step.state],
                help=f"{_WORDS[step.state]}{why}",
                query_params=dict(query_params) if query_params else None,
                width="stretch",
            )


def needs(missing: str, page: Any, link: str, query_params: Mapping[str, str] | None = None) -> None:
    """Say what a step needs and link to where it comes from; the screen should end after it (`st.stop()`).

    needs("This step needs a dataset.", "pages/p10_dataset.py", "Go to Dataset", {"project": project_id})
    """
    with st.container(border=True, key=f"tw-needs-{link}"):
        st.html(note("info", missing, paragraph("You can come back here at any time.", quiet=True)))
        st.page_link(
            page,
            label=link,
            icon=":material/arrow_forward:",
            query_params=dict(query_params) if query_params else None,
        )
