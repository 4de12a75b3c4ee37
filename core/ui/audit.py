"""Panels of the Bias audit screen: what was found and what to do, then every audit with its figures."""

from __future__ import annotations

import streamlit as st

from core.schemas.audits import AuditResult
from core.schemas.errors import UserError
from core.services import audits
from core.services.audit_summary import DATA, needs_a_look, summary
from core.store.tables import Audit

from . import parts
from .audit_found import result_panel, summary_panel
from .audit_start import settings_panel as settings_panel


def _rank(key: str, result: AuditResult) -> tuple[bool, bool]:
    """The model's findings first, then those of the data, then what is quiet."""
    return not needs_a_look(result), key == DATA


def found_panel(audit: Audit) -> None:
    """What was found and what to do, in plain words."""
    summary_panel(summary(audits.results(audit)))


def details_panel(audit: Audit) -> None:
    """Every audit in a tab; the refused ones with their reason."""
    found = audits.results(audit)
    for reason in audits.refusals(audit).values():
        parts.show_error(UserError.from_dict(dict(reason)))
    if found:
        # What was found comes first, else the first tab may seem to contradict the headline.
        ordered = sorted(found.items(), key=lambda item: _rank(*item))
        titles = [f":material/warning: {r.title}" if needs_a_look(r) else r.title for _, r in ordered]
        for tab, (key, result) in zip(st.tabs(titles), ordered, strict=True):
            with tab:
                result_panel(key, result)
