"""The first screenful of the bias audit: what was found, in a few sentences, and what to do."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.schemas.findings import Finding, Severity
from core.services import audits
from core.store.tables import Audit

from . import parts

SHOWN = 4
FIXES_SHOWN = 3


def serious(audit: Audit) -> list[Finding]:
    """Problems and warnings of all its audits, problems first."""
    every = [f for result in audits.results(audit).values() for f in result.findings]
    return [f for f in parts.in_order(every) if f.severity in (Severity.ERROR, Severity.WARNING)]


def summary_panel(audit: Audit) -> None:
    """Each audit in one sentence, the gravest findings, and what can be done about them."""
    found, results = serious(audit), audits.results(audit)
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.markdown("**What was found**")
        if not results:
            st.warning("No audit could be carried out for this model. That says nothing about how it treats people.")
        lines = "".join(
            f"<p>{escape(r.headline)} <span class='tw-quiet'>{escape(r.title)}, n = {r.n:,}</span></p>"
            for r in results.values()
        )
        st.html(f'<div class="tw-summary">{lines}</div>')
    with right:
        st.markdown("**What to do**")
        fixes = list(dict.fromkeys(f.fix for f in found if f.fix))[:FIXES_SHOWN]
        if fixes:
            st.markdown("\n".join(f"{n}. {parts.plain(fix)}" for n, fix in enumerate(fixes, start=1)))
            st.caption("Below, under “Corrective actions”, an action is tried and judged by a second audit.")
        else:
            st.markdown(
                "Nothing that was measured calls for an action. Read what was not tested before you rely on it, and audit again "
                "after the next training."
            )
