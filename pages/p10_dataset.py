"""Dataset: say what the model should learn, bring your examples, and see whether they are fit for it."""

from __future__ import annotations

import streamlit as st

from core.schemas.jobs import JobKind
from core.services import datasets, projects, status
from core.tasks import registry as tasks
from core.ui import jobs, parts, screens
from core.ui.dataset_card import card_panel
from core.ui.dataset_import import import_panel
from core.ui.dataset_queue import queue_panel
from core.ui.dataset_report import report_panel
from core.ui.dataset_rows import rows_panel
from core.ui.dataset_versions import version_header, versions_panel
from core.ui.goal import goal_panel
from core.ui.next_steps import prepared_fix
from core.ui.responsible import responsible_panel

project = screens.begin("dataset")

job_id = st.query_params.get("job")
version = datasets.current(project)
if job_id:
    job = status.job(job_id)
    if job and job.state.active:
        jobs.watch(job_id, "Changing the data" if job.kind is JobKind.FIX else "Importing")
        st.stop()
    if job and job.error:
        jobs.failed(job)
    elif job:
        del st.query_params["job"]

if version is not None and project.task and (queue_id := st.query_params.get("queue")):
    with parts.guard():
        queue_panel(project, version, queue_id)
    st.stop()

# Once it is said, the answer stands in the title and the way to the files is short.
said = f" {tasks()[project.task].title}" if project.task else ""
with st.expander(f"What should the model learn?{said}", expanded=not project.task, icon=":material/flag:"):
    goal_panel(project)
project = projects.get(project.id)
if not project.task:
    st.info("First say what the model should learn.", icon=":material/arrow_upward:")
    st.stop()
with parts.guard():
    responsible_panel(project)

with (
    st.expander(
        "Add your examples" if version is None else "Import other data",
        expanded=version is None,
        icon=":material/upload_file:",
    ),
    parts.guard(),
):
    import_panel(project)

if version is None:
    st.stop()

prepared_fix(project, version)
version_header(project, version)
report, rows, versions = st.tabs(["Health report", "Rows", "Versions"])
with report, parts.guard():
    report_panel(project, version)
with rows, parts.guard():
    rows_panel(version)
with versions, parts.guard():
    versions_panel(project, version)
    card_panel(project, version)
screens.next_step("model")
