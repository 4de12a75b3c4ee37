"""The health report on the Dataset screen: grouped, worst first, each finding with its rows, its chart and its fix."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.data import fixes
from core.data.checks import registry as checks
from core.schemas.findings import Finding, Severity
from core.schemas.health import HealthReport
from core.services import health
from core.store.tables import DatasetVersion, Project

from . import jobs, parts, report_charts, screens
from .dataset_fixes import fix_dialog
from .dataset_queue import queue_button
from .finding_rows import evidence_rows
from .findings import body_html, finding_html, in_order, tally
from .real_texts import real_texts_panel

LINKS = {"tokens": "Split again", "recipe": "Set class weights", "bias": "Audit the model for bias"}
OPEN = (Severity.ERROR, Severity.WARNING)


def report_panel(project: Project, version: DatasetVersion) -> None:
    """The check while it runs; then its findings; then the texts from real use."""
    active = health.running(project.id, version.id)
    if active:
        jobs.watch(active[0].id, "Checking the data")
    report = health.of(version)
    if not active and not (report and health.is_current(version)):
        _ask(project, version)
    if report is not None:
        _report(project, version, report)
    real_texts_panel(project, version)


def _ask(project: Project, version: DatasetVersion) -> None:
    """Offer the check where there is no report, or one that something has changed since."""
    failed = health.last_failure(project.id, version.id)
    if failed is not None:
        jobs.failed(failed)
    if version.health:
        st.caption(
            "Since this report something has changed: the split, the base model, the real-use texts or the checks."
        )
    else:
        st.caption("This version has not been checked yet. You can train without the report.")
    if st.button("Check again" if version.health else "Check the data", icon=":material/health_and_safety:"):
        health.submit(project.id, version.id)
        st.rerun()


def _report(project: Project, version: DatasetVersion, report: HealthReport) -> None:
    bad = [f for f in report.findings if f.severity != Severity.GOOD]
    good = [f for f in report.findings if f.severity == Severity.GOOD]
    found = tally(bad) or "Nothing is wrong"
    st.markdown(f"**{found[0].upper()}{found[1:]}** in {report.rows:,} rows")
    if any(finding.estimate is not None for finding in bad):
        st.caption(
            "In brackets after a figure: the range in which the true one very likely lies, and n, the number of rows behind it."
        )
    report_charts.at_a_glance(report, version.id)
    for group, members in _grouped(bad):
        st.subheader(group, anchor=False)
        for finding in members:
            _finding(project, version, finding, f"{version.id}-{report.findings.index(finding)}")
    if good:
        _good(good)


def _grouped(findings: Sequence[Finding]) -> list[tuple[str, list[Finding]]]:
    """The groups of the checks, the one with the most serious finding first."""
    known = checks()
    groups: dict[str, list[Finding]] = {}
    for finding in in_order(findings):
        group = known[finding.check].group if finding.check in known else "Texts"
        groups.setdefault(group, []).append(finding)
    return list(groups.items())


def _finding(project: Project, version: DatasetVersion, finding: Finding, key: str) -> None:
    """Problems and warnings as a card, notes as a line that opens."""
    if finding.severity in OPEN:
        box, words = st.container(border=True), finding_html(finding)
    else:
        box, words = st.expander(parts.plain(finding.title), icon=":material/info:"), body_html(finding)
    with box:
        st.html(words)
        report_charts.finding_chart(finding, key)
        evidence_rows(version, finding, f"rows-{key}")
        _actions(project, version, finding, key)


def _actions(project: Project, version: DatasetVersion, finding: Finding, key: str) -> None:
    data = finding.data
    fix = fixes.registry().get(data.get("fix_key", ""))
    if not (fix or data.get("queue") or data.get("link") in LINKS):
        return
    with st.container(horizontal=True, gap="small"):
        if data.get("queue"):
            queue_button(project, version, finding, f"queue-{key}")
        if fix is not None and st.button(fix.title, key=f"fix-{key}", icon=":material/build:", help=fix.description):
            fix_dialog(project, version, fix.key, data.get("fix_options") or {})
        if (link := data.get("link")) in LINKS:
            st.page_link(
                screens.page_of(link), label=LINKS[link], icon=":material/arrow_forward:", query_params=screens.here()
            )


def _good(findings: Sequence[Finding]) -> None:
    with st.expander(f"{len(findings)} checks found nothing wrong", icon=":material/check_circle:"):
        for finding in findings:
            st.markdown(f"**{parts.plain(finding.title)}.** {parts.plain(finding.meaning)}")
