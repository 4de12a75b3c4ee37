"""Panels of the Bias audit screen: what was found, what was not tested, and the way from a finding to a checked fix."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.schemas.audits import GateState
from core.schemas.errors import UserError
from core.services import audits, runs
from core.services.audit_summary import summary
from core.store.tables import Audit, Correction, Project, Run
from core.tasks import registry as tasks

from . import jobs, parts, screens
from .audit_found import result_panel, summary_panel
from .audit_start import settings_panel as settings_panel

STATES = {
    GateState.VERIFIED: ("Verified", "green"),
    GateState.NOT_VERIFIED: ("Not verified", "orange"),
    GateState.REFUSED: ("Refused", "red"),
}


def audit_panel(audit: Audit) -> None:
    """What was found and what to do in plain words, then every audit in a tab; the refused ones with their reason."""
    found = audits.results(audit)
    summary_panel(summary(found))
    for reason in audits.refusals(audit).values():
        parts.show_error(UserError.from_dict(dict(reason)))
    if found:
        for tab, (key, result) in zip(st.tabs([result.title for result in found.values()]), found.items(), strict=True):
            with tab:
                result_panel(key, result)


def action_panel(project: Project, run: Run, audit: Audit) -> None:
    """Choose an action, look at twenty of its rows, strike bad ones, then retrain and audit again."""
    known = audits.actions(tasks()[run.task].family)
    if not known:
        st.info("No corrective action is there for this kind of model yet.")
        return
    chosen = st.selectbox("Action", list(known), format_func=lambda key: known[key].title)
    action = known[chosen]
    st.caption(action.help)
    result = parts.form(action.config, {}, level="basic", key_prefix=f"action-{run.id}-{chosen}")
    if result.model is None:
        return
    config = result.model.model_dump(mode="json")
    rows = audits.preview(run, chosen, config)
    st.markdown(f"**{len(rows)} of the rows it would add** to the training part. Untick those that make no sense.")
    table = pd.DataFrame(
        [{"keep": True, "before": r.before, "after": r.after, "label": r.label or "", "row": r.row_id} for r in rows]
    )
    edited = st.data_editor(
        table, hide_index=True, width="stretch", disabled=["before", "after", "label", "row"], key=f"swaps-{run.id}"
    )
    struck = [row["row"] for row in edited.to_dict("records") if not row["keep"]]
    if st.button("Apply, train again and audit again", type="primary", icon=":material/balance:"):
        correction = audits.correct(run, audit, chosen, config, struck)
        screens.go("bias", correction=correction.id)


def corrections_panel(project: Project) -> None:
    """Every corrective action with its outcome: before and after, quality included."""
    found = audits.corrections(project.id)
    if not found:
        return
    st.subheader("Corrective actions", anchor=False)
    for correction in found:
        with st.container(border=True):
            _correction(correction)


def _correction(correction: Correction) -> None:
    after = runs.get(str(correction.run_after_id))
    before = runs.get(str(correction.run_before_id))
    job = runs.job_of(after)
    st.markdown(f"**{parts.plain(after.note)}**: round {before.number} → round {after.number}")
    st.caption(f"{correction.config.get('added', 0):,} rows added to the training part.")
    if job is not None and job.state.active:
        jobs.watch(job.id, "Training again and auditing again")
        return
    if job is not None and job.error:
        jobs.failed(job)
        return
    judged = audits.outcome(correction)
    titles = {key: audit.title for key, audit in audits.available(tasks()[after.task].family).items()}
    if not judged and job is not None:
        st.info("It could not be judged: the audits before and after share no measured gap.")
    for key, gate in judged.items():
        title, colour = STATES[gate.state]
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(title, color=colour)  # type: ignore[arg-type]
            st.html(f"<span>by: {titles.get(key, key)}</span>", width="content")
        for reason in gate.reasons:
            st.markdown(f"- {parts.plain(reason)}")
        if gate.gap_change:
            st.caption(f"Gap, after minus before: {parts.number(gate.gap_change, 3)}")
        if gate.quality_change:
            st.caption(f"Quality, after minus before: {parts.points(gate.quality_change)}")
