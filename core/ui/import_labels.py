"""Columns of a role that several columns may have, and how they write what is in them: found, shown, correctable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.data.label_lists import WAYS
from core.services import datasets
from core.tasks._base import Role


def label_columns(place: Any, role: Role, names: list[str], suggested: Mapping[str, str], key: str) -> dict[str, str]:
    """One column, or several that say yes or no: role keys to columns."""
    known = [column for found, column in suggested.items() if found.partition(":")[0] == role.key and column in names]
    chosen = place.multiselect(
        role.title, names, known, help=role.help, key=f"role-{role.key}-{key}", placeholder="not used"
    )
    if len(chosen) < 2:
        return {role.key: chosen[0]} if chosen else {}
    return {f"{role.key}:={column}": column for column in chosen}


def ways_panel(file: Mapping[str, Any], roles: dict[str, str], task: str, key: str) -> dict[str, str]:
    """Say how labels are written in their column, and let the person correct it. Returns the roles with the way."""
    found = datasets.settled(file, roles, task)
    written = next((role for role in found if role.startswith("labels:") and role.partition(":")[2] in WAYS), None)
    if written is None:
        if several := [role for role in found if role.startswith("labels:=")]:
            st.caption(
                f"{len(several)} columns that say yes (1) or no (0), each about the label that it is named after."
            )
        return found
    way = written.partition(":")[2]
    chosen = st.selectbox(
        "How are several labels written in a cell?",
        list(WAYS),
        list(WAYS).index(way),
        format_func=WAYS.__getitem__,
        key=f"way-{key}-{found[written]}",
        help="Found in the first rows. Below you see what becomes of them.",
    )
    return {role: column for role, column in found.items() if role != written} | {f"labels:{chosen}": found[written]}
