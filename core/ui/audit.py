"""Panels of the Bias audit screen: what was found and what to do, then every audit with its figures."""

from __future__ import annotations

import streamlit as st

from core.schemas.errors import UserError
from core.services import audits
from core.services.audit_summary import summary
from core.store.tables import Audit

from . import parts
from .audit_found import result_panel, summary_panel
from .audit_start import settings_panel as settings_panel


def found_panel(audit: Audit) -> None:
    """What was found and what to do, in plain words."""
    summary_panel(summary(audits.results(audit)))


def details_panel(audit: Audit) -> None:
    """Every audit in a tab; the refused ones with their reason."""
    found = audits.results(audit)
    for reason in audits.refusals(audit).values():
        parts.show_error(UserError.from_dict(dict(reason)))
    if found:
        for tab, (key, result) in zip(st.tabs([result.title for result in found.values()]), found.items(), strict=True):
            with tab:
                result_panel(key, result)
