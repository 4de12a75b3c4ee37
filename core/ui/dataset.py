"""Panels of the Dataset screen: import with everything that was detected, report, rows, versions."""

from __future__ import annotations

import io
from typing import Any

import streamlit as st

from core.schemas.findings import Finding
from core.schemas.health import HealthReport
from core.schemas.imports import ImportOptions, ImportReport
from core.services import datasets, fixes
from core.store.tables import DatasetVersion, Project
from core.tasks import registry as tasks

from . import parts, screens

ACCEPTED = ["csv", "tsv", "txt", "json", "jsonl", "ndjson", "parquet", "xlsx", "zip", "gz", "md"]
ROWS_SHOWN = 50


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


def report_panel(project: Project, version: DatasetVersion) -> None:
    """Findings, worst first, each with its rows and its fix."""
    if not version.health:
        st.info("The health report is not there yet.", icon=":material/hourglass_empty:")
        return
    report = HealthReport.model_validate(version.health)
    good = [f for f in report.findings if f.severity == "good"]
    for index, finding in enumerate(f for f in report.findings if f.severity != "good"):
        with parts.finding_card(finding):
            _evidence(project, version, finding, index)
    if good:
        with st.expander(f"{len(good)} checks found nothing wrong", icon=":material/check_circle:"):
            for finding in good:
                st.markdown(f"- {parts.plain(finding.title)}")


def _evidence(project: Project, version: DatasetVersion, finding: Finding, index: int) -> None:
    with st.container(horizontal=True, gap="small"):
        if finding.row_ids:
            with st.popover(f"Show rows ({min(len(finding.row_ids), ROWS_SHOWN)})", icon=":material/table_rows:"):
                frame = datasets.frame(version)
                st.dataframe(frame[frame["row_id"].isin(finding.row_ids[:ROWS_SHOWN])], width=700, hide_index=True)
        key = finding.data.get("fix_key")
        if key:
            fix = fixes.describe(key)
            if st.button(fix.title, key=f"fix-{version.id}-{index}", icon=":material/build:", help=fix.description):
                _preview(project, version, key, finding.data.get("fix_options") or {})


@st.dialog("Fix the data", width="large")
def _preview(project: Project, version: DatasetVersion, key: str, options: dict[str, Any]) -> None:
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


def rows_panel(version: DatasetVersion) -> None:
    """The rows, a page at a time."""
    pages = max(1, -(-version.rows // ROWS_SHOWN))
    page = st.number_input("Page", 1, pages, 1, help=f"{pages:,} pages of {ROWS_SHOWN} rows") if pages > 1 else 1
    frame = datasets.page(version, (int(page) - 1) * ROWS_SHOWN, ROWS_SHOWN)
    st.dataframe(frame.iloc[:, :30].map(_short), width="stretch", hide_index=True, height=420)


def _short(value: Any) -> str:
    text = "" if value is None or value != value else str(value)
    return text if len(text) <= 300 else text[:299] + "…"


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
