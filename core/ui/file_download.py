"""Take a file of this machine along: a button, or its place where it is too large to pass through the dashboard's memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import streamlit as st

IN_MEMORY = 256 * 2**20  # bytes: Streamlit holds a download in memory until the page is closed


def file_download(
    find: Callable[[], Path], bytes_: int, name: str, mime: str, key: str, *, label: str = "Download",
    kind: Literal["primary", "secondary"] = "secondary",
) -> None:  # fmt: skip
    """`find` says where the file lies (a UserError where it is gone); it is read when the button is pressed."""
    if bytes_ > IN_MEMORY:
        with st.container():
            st.caption(f"{size(bytes_)}: too large to pass through the browser. Copy it from this path:")
            st.code(str(find()), language=None, wrap_lines=True)
        return
    st.download_button(
        f"{label} ({size(bytes_)})",
        lambda: find().read_bytes(),
        name,
        mime,
        key=key,
        type=kind,
        icon=":material/download:",
        on_click="ignore",
    )


def size(count: int) -> str:
    """Bytes in words."""
    for unit, one in (("GB", 2**30), ("MB", 2**20)):
        if count >= one:
            return f"{count / one:,.1f} {unit}"
    return f"{max(1, round(count / 2**10)):,} KB"
