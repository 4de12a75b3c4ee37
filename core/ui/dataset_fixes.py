"""The dialog of a fix on the Dataset screen: what it would do, before it makes a new version."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.services import fixes
from core.store.tables import DatasetVersion, Project


@st.dialog("Fix the data", width="large")
def fix_dialog(project: Project, version: DatasetVersion, key: str, options: dict[str, Any]) -> None:
    """What the fix would do, before it makes a new version."""
    fix = fixes.describe(key)
    found = fixes.preview(project, version, key, options)
    dropped = found.rows_before - found.rows_after
    st.write(fix.description)
    st.markdown(
        f"**{found.rows_changed:,} rows are changed, {dropped:,} are dropped; {found.rows_after:,} stay.** Rows of a locked "
        f"test set are not touched. You can go back to version {version.number} at any time."
    )
    if found.examples:
        shown = [{"row": row, "before": before, "after": after} for row, before, after in found.examples]
        st.dataframe(shown, width="stretch", hide_index=True)
    if st.button("Apply as a new version", type="primary", disabled=not found.row_ids):
        fixes.apply(project, version, key, options)
        st.rerun()
