"""The health report on the Dataset screen: findings, worst first, each with its rows and its fix."""

from __future__ import annotations

import streamlit as st

from core.data import fixes
from core.schemas.findings import Finding
from core.services import datasets, health
from core.store.tables import DatasetVersion, Project

from . import jobs, parts
from .dataset_fixes import fix_dialog
from .dataset_queue import queue_button

ROWS_SHOWN = 50


def report_panel(project: Project, version: DatasetVersion) -> None:
    """The check while it runs; then its findings, worst first, each with its rows and its fix."""
    active = health.running(project.id, version.id)
    if active:
        jobs.watch(active[0].id, "Checking the data")
    report = health.of(version)
    if not active and not (report and health.is_current(version)):
        _ask(project, version)
    if report is None:
        return
    good = [f for f in report.findings if f.severity == "good"]
    for index, finding in enumerate(f for f in report.findings if f.severity != "good"):
        with parts.finding_card(finding):
            _evidence(project, version, finding, index)
    if good:
        with st.expander(f"{len(good)} checks found nothing wrong", icon=":material/check_circle:"):
            for finding in good:
                st.markdown(f"- {parts.plain(finding.title)}")


def _ask(project: Project, version: DatasetVersion) -> None:
    """Offer the check where there is no report, or one that something has changed since."""
    failed = health.last_failure(project.id, version.id)
    if failed is not None:
        jobs.failed(failed)
    if version.health:
        st.caption("The split, the base model or the texts from real use have changed since this report.")
    else:
        st.caption("This version has not been checked yet. You can train without the report.")
    if st.button("Check again" if version.health else "Check the data", icon=":material/health_and_safety:"):
        health.submit(project.id, version.id)
        st.rerun()


def _evidence(project: Project, version: DatasetVersion, finding: Finding, index: int) -> None:
    with st.container(horizontal=True, gap="small"):
        if finding.row_ids:
            with st.popover(f"Show rows ({min(len(finding.row_ids), ROWS_SHOWN)})", icon=":material/table_rows:"):
                frame = datasets.frame(version)
                st.dataframe(frame[frame["row_id"].isin(finding.row_ids[:ROWS_SHOWN])], width=700, hide_index=True)
        key = finding.data.get("fix_key")
        if key in fixes.registry():
            fix = fixes.find(key)
            if st.button(fix.title, key=f"fix-{version.id}-{index}", icon=":material/build:", help=fix.description):
                fix_dialog(project, version, key, finding.data.get("fix_options") or {})
        queue_button(project, version, finding, f"queue-{version.id}-{index}")
