"""The health report on the Dataset screen: findings, worst first, each with its rows and its fix."""

from __future__ import annotations

import streamlit as st

from core.schemas.findings import Finding
from core.schemas.health import HealthReport
from core.services import datasets, fixes
from core.store.tables import DatasetVersion, Project

from . import parts
from .dataset_fixes import fix_dialog

ROWS_SHOWN = 50


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
                fix_dialog(project, version, key, finding.data.get("fix_options") or {})
