"""The report of the whole project: what is in it, what it will say was not done, and the file to print or to send."""

from __future__ import annotations

import streamlit as st

from core.services import project_report
from core.store.tables import Run

from . import screens

CONTENT = (
    "First page in plain words: what the model is for, whether it is better than before, whether something speaks against "
    "using it, and what is open. Then data, base model, settings, curves, test, votes of people, bias, earlier rounds, exports, "
    "licences, time, versions. **Each figure links to its source** in the appendix, with the command that prints it again."
)


def project_report_panel(run: Run) -> None:
    """Download, and what is missing with links to the steps where it is done."""
    st.markdown(CONTENT)
    st.download_button(
        "Download the project report",
        lambda: project_report.report_html(run),
        project_report.filename(run),
        "text/html",
        icon=":material/summarize:",
        type="primary",
        key=f"project-report-{run.id}",
        on_click="ignore",
    )
    st.caption("One HTML file that opens without a network. Print it from the browser, also to PDF.")
    gaps = project_report.missing(run)
    if not gaps:
        st.success("Nothing that the report asks about is missing for this round.", icon=":material/task_alt:")
        return
    with st.container(border=True):
        st.markdown("**Not done for this round, and said so in the report**")
        for what, step in gaps:
            left, right = st.columns([4, 1], vertical_alignment="center")
            left.markdown(f":material/radio_button_unchecked: {what}")
            with right:
                st.page_link(screens.page_of(step), label=screens.screen(step).title, query_params=screens.here())
