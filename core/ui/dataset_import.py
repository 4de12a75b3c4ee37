"""The import panel of the Dataset screen: bring files, see what was detected, correct it, import."""

from __future__ import annotations

import io
from typing import Any

import streamlit as st

from core.schemas.imports import ImportOptions, ImportReport
from core.services import datasets
from core.store.tables import Project
from core.tasks import registry as tasks

from . import parts, screens

ACCEPTED = ["csv", "tsv", "txt", "json", "jsonl", "ndjson", "parquet", "xlsx", "zip", "gz", "md"]


def import_panel(project: Project) -> None:
    """Upload or paste; then show what was found, let the person correct it, and import."""
    uploader = f"upload-{project.id}-{st.session_state.get('upload_round', 0)}"
    upload_tab, paste_tab = st.tabs(["Upload a file", "Paste text"])
    with upload_tab:
        given = st.file_uploader(
            "File of examples",
            ACCEPTED,
            key=uploader,
            help="CSV, TSV, Excel, JSON, JSON lines, Parquet, plain text, or a zip or gzip of one of these.",
        )
        if given is not None:
            _keep(project, given.name, given)
    with paste_tab:
        pasted = st.text_area("Examples", height=160, placeholder="message,category\nWhere is my parcel?,delivery")
        if st.button("Use this text", disabled=not pasted.strip()):
            _keep(project, "pasted.txt", io.BytesIO(pasted.encode()))
    upload_id = st.session_state.get(f"upload-of-{project.id}")
    if upload_id:
        _confirm(project, upload_id)


def _keep(project: Project, name: str, stream: Any) -> None:
    """Copy to disk at once, then free the uploader's memory by giving it a new key."""
    upload = datasets.keep_upload(project.id, name, stream)
    st.session_state[f"upload-of-{project.id}"] = upload.id
    st.session_state["upload_round"] = st.session_state.get("upload_round", 0) + 1
    st.session_state[f"options-{upload.id}"] = {}
    st.rerun()


def _confirm(project: Project, upload_id: str) -> None:
    upload = datasets.get_upload(upload_id)
    options = ImportOptions.model_validate(st.session_state.get(f"options-{upload_id}") or {})
    report = datasets.inspect(upload, options)
    st.text(f"{upload.filename}: {report.format_title}")
    for note in report.notes:
        lines = f" (lines {', '.join(map(str, note.line_numbers[:10]))}{'…' if len(note.line_numbers) > 10 else ''})"
        st.warning(f"{note.title}{lines if note.line_numbers else ''} {note.meaning}", icon=":material/info:")
    if report.preview:
        st.dataframe(list(report.preview)[:10], width="stretch", height=240)
    _reading(upload_id, report)
    roles = _roles(project, report)
    problem = None
    try:
        tasks()[project.task or ""].check_roles(roles)
    except Exception as error:  # shown beside the button: what is missing
        problem = error
    left, right = st.columns([1, 3], vertical_alignment="center")
    if left.button("Import", type="primary", disabled=problem is not None, width="stretch"):
        files = [{"upload_id": upload_id, "options": report.options.model_dump()}]
        job_id = datasets.submit_import(project.id, files, roles, project.task or "", upload.filename)
        st.session_state.pop(f"upload-of-{project.id}")
        screens.go("dataset", job=job_id)
    if problem is not None:
        right.caption(getattr(problem, "cause", str(problem)))


def _reading(upload_id: str, report: ImportReport) -> None:
    """What was detected about the file, correctable."""
    with st.expander("How the file is read", icon=":material/settings:"):
        result = parts.form(
            ImportOptions, report.options.model_dump(), level="all", key_prefix=f"read-{upload_id}", columns=3
        )
        if result.model is not None and st.button("Read it this way", disabled=result.model == report.options):
            st.session_state[f"options-{upload_id}"] = result.model.model_dump()
            st.rerun()


def _roles(project: Project, report: ImportReport) -> dict[str, str]:
    """Which column is what."""
    task = tasks()[project.task or ""]
    suggested = report.roles.get(task.key, {})
    names = [c.name for c in report.columns]
    st.markdown("**Which column is what?**")
    chosen: dict[str, str] = {}
    for column, role in zip(st.columns(len(task.roles)), task.roles, strict=True):
        value = column.selectbox(
            role.title if role.required else f"{role.title} (optional)" if task.key != "chat" else role.title,
            [None, *names],
            index=1 + names.index(suggested[role.key]) if suggested.get(role.key) in names else 0,
            format_func=lambda name: "not used" if name is None else name,
            help=role.help,
            key=f"role-{role.key}-{report.filename}",
        )
        if value:
            chosen[role.key] = value
    if report.task and report.task != task.key:
        st.info(f"This file looks more like: {tasks()[report.task].title.lower()}.", icon=":material/lightbulb:")
    return chosen
