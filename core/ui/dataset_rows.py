"""The rows of a dataset version, a page at a time."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.services import datasets
from core.store.tables import DatasetVersion

ROWS_SHOWN = 50


def rows_panel(version: DatasetVersion) -> None:
    """The rows, a page at a time."""
    pages = max(1, -(-version.rows // ROWS_SHOWN))
    page = st.number_input("Page", 1, pages, 1, help=f"{pages:,} pages of {ROWS_SHOWN} rows") if pages > 1 else 1
    frame = datasets.page(version, (int(page) - 1) * ROWS_SHOWN, ROWS_SHOWN)
    st.dataframe(frame.iloc[:, :30].map(_short), width="stretch", hide_index=True, height=420)


def _short(value: Any) -> str:
    text = "" if value is None or value != value else str(value)
    return text if len(text) <= 300 else text[:299] + "…"
