"""Parts of a screen that are drawn alone: a press in one of them leaves the rest of the screen as it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

import streamlit as st

from .errors import guard

P = ParamSpec("P")


def apart(draw: Callable[P, None]) -> Callable[P, None]:
    """`draw` as a part of its own, with its errors told in its place. All parts are there from the first drawing on, so that
    nothing that was typed into one is lost while another is used. What concerns the whole screen asks for it with `st.rerun()`.
    """
    return st.fragment(guard()(draw))
