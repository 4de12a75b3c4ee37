"""Bias audit: see whether the model treats groups of people alike, act on what you find, and check that it helped."""

from __future__ import annotations

import streamlit as st

from core.schemas.jobs import JobKind
from core.services import audits, datasets, identity_words, runs, status
from core.ui import jobs, parts, screens
from core.ui.audit import details_panel, found_panel, settings_panel
from core.ui.audit_frontier import frontier_panel
from core.ui.audit_report import report_panel
from core.ui.audit_start import intro
from core.ui.corrections import action_panel, corrections_panel
from core.ui.data_audit import data_panel
from core.ui.lexicon_editor import lexicon_panel
from core.ui.output_filter import filter_panel
from core.ui.responsible import open_points_panel

project = screens.begin("bias", "training")

with parts.guard():
    by_id = {run.id: run for run in runs.finished(project.id)}
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    wanted = st.query_params.get("run")
    chosen = left.selectbox(
        "Round",
        list(by_id),
        list(by_id).index(wanted) if wanted in by_id else 0,
        format_func=lambda r: f"{by_id[r].number} · {by_id[r].name}",
    )
    run = by_id[chosen]
    active = [j for j in status.active_jobs(project.id) if j.kind is JobKind.AUDIT]
    if active:
        jobs.watch(active[0].id, "Auditing")
        st.stop()
    last = st.session_state.pop(f"auditing-{run.id}", None)
    if last and (job := status.job(last)) and job.error:
        jobs.failed(job)
    found = audits.of_run(run.id)
    if found:
        with right.popover("Audit again", icon=":material/refresh:", width="stretch"):
            config = settings_panel(run)
            pressed = st.button("Start the audit", type="primary")
    else:
        intro(run)
        config = settings_panel(run)
        pressed = st.button("Audit this round", type="primary")
    if pressed:
        st.session_state[f"auditing-{run.id}"] = audits.submit(run, config)
        st.rerun()
    if found:
        found_panel(found[0])
    open_points_panel(project)

    # Only what is looked at is drawn: details, rounds and rules take their time.
    details, actions, rules, every, words, report = st.tabs(
        ["Details", "Corrective actions", "Output filter", "All rounds", "Words", "Report"],
        key="bias-tabs",
        on_change="rerun",
    )
    with details, parts.guard():
        if details.open and found:
            details_panel(found[0])
            data_panel(run, found[0])
        elif details.open:
            st.caption("This round is not audited yet.")
    with actions, parts.guard():
        if actions.open and found:
            action_panel(project, run, found[0])
        elif actions.open:
            st.caption("Audit this round first: an action is judged by the audit before and after it.")
        if actions.open:
            corrections_panel(project)
    with rules, parts.guard():
        if rules.open:
            filter_panel(run)
    with every, parts.guard():
        if every.open:
            frontier_panel(project)
    with words, parts.guard():
        if words.open:
            lexicon_panel(project, identity_words.language_of(datasets.get_version(run.dataset_version_id)))
    with report, parts.guard():
        if report.open and found:
            report_panel(run)
        elif report.open:
            st.caption("Audit this round first.")
    if found:
        screens.next_step("use")
