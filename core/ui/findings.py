"""Cards for what a check found: how serious, what it is, what it does to the model, and how to fix it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.schemas.findings import Finding, Severity

from .figures import percent
from .markup import note, paragraph

_WORDS = {Severity.ERROR: "Problem", Severity.WARNING: "Warning", Severity.INFO: "Note", Severity.GOOD: "Good"}


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """The most serious first; equal ones keep their order."""
    order = list(_WORDS)
    return sorted(findings, key=lambda finding: order.index(finding.severity))


def finding_card(finding: Finding) -> DeltaGenerator:
    """Draw a finding and return its box, so that a screen can add to it: `finding_card(f).button("Show the rows")`."""
    word = _WORDS[finding.severity]
    rows = "" if not finding.count else f", {finding.count:,} row{'' if finding.count == 1 else 's'}"
    body = [paragraph(finding.meaning)]
    if finding.estimate is not None:
        body.append(paragraph(percent(finding.estimate), label="Measured:"))
    body.append(paragraph(finding.fix, label="What to do:"))
    box = st.container(border=True)
    box.html(note(finding.severity.value, finding.title, *body, aside=f"{word}{rows}"))
    return box
