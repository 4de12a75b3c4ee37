"""The import panel of the Dataset screen: bring files, see what was detected, correct it, import."""

from __future__ import annotations

import streamlit as st

from core.data.shapes import TASK_OF_SHAPE
from core.schemas.errors import UserError
from core.schemas.imports import ImportReport
from core.services import datasets, reading
from core.store.tables import Project
from core.tasks import registry as tasks

from . import import_draft, import_sources, parts, screens
from .import_draft import Draft
from .import_labels import label_columns, ways_panel
from .import_look import file_look, shape_look


def import_panel(project: Project) -> None:
    """Bring files in one of four ways; then show what was found, let the person correct it, and import."""
    upload, paste, folder, hub = st.tabs(["Upload files", "Paste text", "Folder on this machine", "Hugging Face hub"])
    with upload:
        import_sources.upload_tab(project)
    with paste:
        import_sources.paste_tab(project)
    with folder, parts.guard():
        import_sources.folder_tab(project)
    with hub, parts.guard():
        import_sources.hub_tab(project)
    files = import_draft.files(project)
    if files:
        _confirm(project, files)


def _confirm(project: Project, files: list[Draft]) -> None:
    reports: list[ImportReport] = []
    for file in files:
        with st.container(border=len(files) > 1), parts.guard():
            report = file_look(project, file, alone=len(files) == 1)
            reports.append(report)
    if len(reports) < len(files):
        st.caption("Take the file that cannot be read out of the list, or correct how it is read.")
        return
    first = next((i for i, file in enumerate(files) if file["part"] == "train"), 0)
    roles = _roles(project, reports[first])
    problem = _problem(project, reports, roles)
    if problem is None:
        with parts.guard():
            roles = ways_panel(import_draft.payload(files[first]), roles, project.task or "", files[first]["key"])
    if problem is None:
        with parts.guard():
            shape_look(project, files[first], reports[first], roles)
    _differences(reports, roles)
    left, right = st.columns([1, 3], vertical_alignment="center")
    if left.button("Import", type="primary", disabled=problem is not None, width="stretch"):
        payload = [import_draft.payload(file) for file in files]
        title = ", ".join(dict.fromkeys(file["name"] for file in files))[:200]
        job_id = datasets.submit_import(project.id, payload, roles, project.task or "", title)
        import_draft.clear(project)
        screens.go("dataset", job=job_id)
    if problem is not None:
        right.caption(f"{problem.title} {problem.cause}")


def _problem(project: Project, reports: list[ImportReport], roles: dict[str, str]) -> UserError | None:
    """What stands against importing now: shown beside the button."""
    try:
        tasks()[project.task or ""].check_roles(roles)
        reading.check_columns(reports, roles)
    except UserError as error:
        return error
    return None


def _differences(reports: list[ImportReport], roles: dict[str, str]) -> None:
    """Columns that only some files have, beyond those that are used."""
    names = [{column.name for column in report.columns} for report in reports]
    for report, own in zip(reports, names, strict=True):
        missing = sorted(set().union(*names) - own - set(roles.values()))
        if missing:
            shown = ", ".join(f"“{name}”" for name in missing[:5]) + (" …" if len(missing) > 5 else "")
            st.info(
                parts.plain(f"{report.filename} has no {shown}: its rows will be empty there."), icon=":material/info:"
            )


def _roles(project: Project, report: ImportReport) -> dict[str, str]:
    """Which column is what."""
    task = tasks()[project.task or ""]
    suggested = report.roles.get(task.key, {})
    names = [c.name for c in report.columns]
    st.markdown("**Which column is what?**")
    chosen: dict[str, str] = {}
    for column, role in zip(st.columns(len(task.roles)), task.roles, strict=True):
        if role.many:
            chosen |= label_columns(column, role, names, suggested, f"{report.filename}-{hash(tuple(names))}")
            continue
        value = column.selectbox(
            role.title if role.required else f"{role.title} (optional)" if task.key != "chat" else role.title,
            [None, *names],
            index=1 + names.index(suggested[role.key]) if suggested.get(role.key) in names else 0,
            format_func=lambda name: "not used" if name is None else name,
            help=role.help,
            key=f"role-{role.key}-{report.filename}-{hash(tuple(names))}",
        )
        if value:
            chosen[role.key] = value
    # Of a task that is never suggested the data look like those of another one: there the person knows better.
    if report.task and report.task != task.key and task.key in TASK_OF_SHAPE.values():
        st.info(f"This file looks more like: {tasks()[report.task].title.lower()}.", icon=":material/lightbulb:")
    return chosen
