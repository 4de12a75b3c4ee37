"""Every version of a dataset, and the way back to it."""

from __future__ import annotations

import streamlit as st

from core.services import datasets
from core.store.tables import DatasetVersion, Project


def versions_panel(project: Project, current: DatasetVersion) -> None:
    """Every version, and the way back to it."""
    for version in datasets.versions(project.id):
        about, button = st.columns([5, 1], vertical_alignment="center")
        about.text(f"Version {version.number}: {version.title}")
        about.caption(f"{version.rows:,} rows · content {version.content[:8]} · test set {version.lineage}")
        if version.id == current.id:
            button.caption("in use")
        elif button.button("Go back", key=f"back-{version.id}", width="stretch"):
            datasets.go_back(project.id, version.id)
            st.rerun()
