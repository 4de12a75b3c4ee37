"""Texts from real use: paste or upload what the model will really meet, to see whether the examples look like it."""

from __future__ import annotations

import streamlit as st

from core.services import health, health_inputs
from core.store.tables import DatasetVersion, Project

from . import parts

KINDS = ["txt", "csv", "tsv", "json", "jsonl", "xlsx", "parquet"]


def real_texts_panel(project: Project, version: DatasetVersion) -> None:
    """A closed panel: what is there, paste or upload, remove."""
    count = len(health_inputs.real_texts(project))
    title = "Compare with texts from real use" + (f" ({count:,} there)" if count else "")
    with st.expander(title, icon=":material/compare_arrows:"), parts.guard():
        st.caption(
            "Add some texts that the model will meet when it is used: without labels or answers, 30 or more, better 200. The "
            "report then says whether your examples look like them. They are never trained on and stay on this machine."
        )
        paste, upload = st.tabs(["Paste texts", "Upload a file"])
        with paste:
            pasted = st.text_area("One text a line", height=140, key=f"real-{project.id}")
            if st.button("Use these texts", disabled=not pasted.strip(), key="real-paste"):
                _keep(project, version, pasted.splitlines())
        with upload:
            given = st.file_uploader("File of texts", KINDS, key=f"real-file-{project.id}-{count}")
            if given is not None and st.button("Use this file", key="real-upload"):
                _keep(
                    project,
                    version,
                    health_inputs.read_texts(given.name, given.getvalue(), version.roles.get("text", "")),
                )
        if count and st.button("Remove them", key="real-remove", type="tertiary", icon=":material/delete:"):
            _keep(project, version, [])


def _keep(project: Project, version: DatasetVersion, texts: list[str]) -> None:
    health_inputs.keep_real_texts(project.id, texts)
    health.submit(project.id, version.id)
    st.rerun()
