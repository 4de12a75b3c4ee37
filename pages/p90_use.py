"""Use it: try the model, compare it with the base, and take it with you."""

from __future__ import annotations

import streamlit as st

from core.services import runs, starting
from core.ui import parts, screens
from core.ui.apart import apart
from core.ui.batch_panel import batch_panel
from core.ui.export_panel import export_panel
from core.ui.hub_push_panel import hub_push_panel
from core.ui.playground_panel import playground_panel
from core.ui.project_report_panel import project_report_panel
from core.ui.serving_panel import serving_panel

project = screens.begin("use", "training")

with parts.guard():
    by_id = {run.id: run for run in runs.finished(project.id)}
    chosen = st.selectbox("Round", list(by_id), format_func=lambda r: f"{by_id[r].number} · {by_id[r].name}")
    run = by_id[chosen]
    if note := starting.note(run):
        st.caption(note)
    titles = ["Try it", "Many texts at once", "Serve", "Take it with you", "Report"]
    playground, many, serve, export, report = st.tabs(titles)
    with playground:
        apart(playground_panel)(run)
    with many:
        apart(batch_panel)(run)
    with serve:
        apart(serving_panel)(run)
    with export:
        apart(export_panel)(run)
        apart(hub_push_panel)(run)
    with report:
        apart(project_report_panel)(run)
