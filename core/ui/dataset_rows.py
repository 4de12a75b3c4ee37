"""The rows of a dataset version, a page at a time, searched, filtered and sorted without loading the table."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from core.data.health_rows import role_of
from core.services import datasets
from core.store.rows import Order, RowFilter
from core.store.tables import DatasetVersion
from core.tasks import registry as tasks

from . import parts

ROWS_SHOWN = 50
COLUMNS_SHOWN = 30
MOST_VALUES = 200
ANY = "\0any"  # no cell holds a zero byte
ORDERS: dict[Order, str] = {"file": "as in the file", "shortest": "shortest first", "longest": "longest first"}


def rows_panel(version: DatasetVersion) -> None:
    """The rows, a page at a time."""
    names = datasets.columns(version)
    wanted = _filter(version, names)
    found = datasets.count(version, wanted)
    pages = max(1, -(-found // ROWS_SHOWN))
    about, chooser = st.columns([3, 1], vertical_alignment="bottom")
    fitting = "" if wanted.everything or found == version.rows else f" of {version.rows:,}"
    about.caption(f"{found:,}{fitting} rows" + (f", {ROWS_SHOWN} a page" if pages > 1 else ""))
    page = 1
    if pages > 1:
        page = int(chooser.number_input(f"Page (of {pages:,})", 1, pages, 1, key=f"page-{version.id}-{hash(wanted)}"))
    if not found:
        st.info("No row fits. Search for something else, or choose another value.", icon=":material/search_off:")
        return
    shown = names[:COLUMNS_SHOWN]
    frame = datasets.page(version, (page - 1) * ROWS_SHOWN, ROWS_SHOWN, shown, wanted)
    st.dataframe(frame.map(_short), width="stretch", hide_index=True, height=420)
    if len(names) > COLUMNS_SHOWN:
        st.caption(f"The first {COLUMNS_SHOWN} of {len(names):,} columns.")


def _filter(version: DatasetVersion, names: list[str]) -> RowFilter:
    """What the person asks for: a text, a label or a file, an order."""
    used = [column for column in version.roles.values() if column in names] or names[1:]
    label = version.roles.get("label")
    kinds = [column for column in (label, datasets.PART) if column in names]
    boxes = st.columns([3, 2] + [2] * len(kinds), vertical_alignment="bottom")
    search = boxes[0].text_input("Search", key=f"search-{version.id}", placeholder="words in the texts")
    order = boxes[1].selectbox("Order", list(ORDERS), format_func=ORDERS.__getitem__, key=f"order-{version.id}")
    equal = []
    for box, column in zip(boxes[2:], kinds, strict=True):
        assert column is not None
        counts = dict(datasets.values(version, column, MOST_VALUES))
        options: list[str | None] = [ANY, *counts]
        chosen = box.selectbox(
            "File" if column == datasets.PART else _title(version, column),
            options,
            format_func=partial(_value, counts=counts),
            key=f"equal-{column}-{version.id}",
        )
        if chosen != ANY:
            equal.append((column, chosen))
    return RowFilter(search=search.strip(), columns=tuple(used), equal=tuple(equal), order=order)


def _title(version: DatasetVersion, column: str) -> str:
    task = tasks().get(version.origin.get("task") or "")
    roles = {role.key: role.title for role in task.roles} if task else {}
    found = (role_of(key) for key, used in version.roles.items() if used == column)
    alone = [role_of(key) for key in version.roles]
    # Several columns of one role keep their own names: a title that comes twice would say nothing.
    return next((roles[role] for role in found if role in roles and alone.count(role) == 1), parts.plain(column))


def _value(value: str | None, counts: dict[str | None, int]) -> str:
    if value == ANY:
        return "all"
    return f"{'(empty)' if value is None else _short(value)} ({counts[value]:,})"


def _short(value: Any) -> str:
    text = "" if value is None or value != value else str(value)
    return text if len(text) <= 300 else text[:299] + "…"
