"""The audit report: download it as one file that prints well."""

from __future__ import annotations

import streamlit as st

from core.services import audit_report
from core.store.tables import Run


def report_panel(run: Run) -> None:
    """A button that makes the report when it is pressed."""
    st.markdown(
        "One HTML file with everything on this screen: what was found and on how much, methods, limits, what was not tested, the "
        "answers on responsible use, and what came of corrective actions. It opens without a network; print it from the browser, "
        "also to PDF."
    )
    st.download_button(
        "Download the audit report",
        lambda: audit_report.report_html(run),
        audit_report.filename(run),
        "text/html",
        icon=":material/description:",
        key=f"report-{run.id}",
    )
