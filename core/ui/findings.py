"""Cards for what a check found: how serious, what it is, what it does to the model, and how to fix it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.schemas.findings import Finding, Severity

from .figures import number, percent, points
from .markup import note, paragraph

_WORDS = {Severity.ERROR: "Problem", Severity.WARNING: "Warning", Severity.INFO: "Note", Severity.GOOD: "Good"}


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """The most serious first; equal ones keep their order."""
    order = list(_WORDS)
    return sorted(findings, key=lambda finding: order.index(finding.severity))


def measured(finding: Finding) -> str:
    """The figure behind a finding with its interval and n; empty where it has none. `data["unit"]` says what it is:
    a share (the default), points between two shares, an area under the curve, or a number of texts."""
    if finding.estimate is None:
        return ""
    unit = finding.data.get("unit")
    if unit == "points":
        return points(finding.estimate)
    if unit in ("auc", "texts"):
        return number(finding.estimate, 2 if unit == "auc" else 0)
    return percent(finding.estimate)


def finding_html(finding: Finding) -> str:
    """The words of a finding, without a box."""
    rows = "" if not finding.count else f", {finding.count:,} row{'' if finding.count == 1 else 's'}"
    return note(finding.severity.value, finding.title, _body(finding), aside=f"{_WORDS[finding.severity]}{rows}")


def body_html(finding: Finding) -> str:
    """The words of a finding whose title stands above them already."""
    return f'<div class="tw-note"><div class="tw-note-body">{_body(finding)}</div></div>'


def _body(finding: Finding) -> str:
    parts = (("", finding.meaning), ("Measured:", measured(finding)), ("What to do:", finding.fix))
    return "".join(paragraph(text, label=label) for label, text in parts)


def finding_card(finding: Finding) -> DeltaGenerator:
    """Draw a finding and return its box, so that a screen can add to it: `finding_card(f).button("Show the rows")`."""
    box = st.container(border=True)
    box.html(finding_html(finding))
    return box


def tally(findings: Sequence[Finding]) -> str:
    """ "1 problem, 3 warnings, 2 notes"; "Nothing is wrong." where there are none of these."""
    parts = []
    for severity in (Severity.ERROR, Severity.WARNING, Severity.INFO):
        count = sum(finding.severity == severity for finding in findings)
        if count:
            parts.append(f"{count} {_WORDS[severity].lower()}{'' if count == 1 else 's'}")
    return ", ".join(parts)
