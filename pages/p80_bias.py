"""Bias audit: see whether the model treats groups of people alike, act on what you find, and check that it helped."""

from __future__ import annotations

import streamlit as st

from core.schemas.jobs import JobKind
from core.services import audits, datasets, identity_words, runs, status
from core.ui import jobs, parts, screens
from core.ui.audit import action_panel, audit_panel, corrections_panel, settings_panel
from core.ui.data_audit import data_panel
from core.ui.lexicon_editor import lexicon_panel

project = screens.begin("bias", "training")

with parts.guard():
    by_id = {run.id: run for run in runs.finished(project.id)}
    chosen = st.selectbox("Round", list(by_id), format_func=lambda r: f"{by_id[r].number} · {by_id[r].name}")
    run = by_id[chosen]
    active = [j for j in status.active_jobs(project.id) if j.kind is JobKind.AUDIT]
    if active:
        jobs.watch(active[0].id, "Auditing")
        st.stop()
    last = st.session_state.pop(f"auditing-{run.id}", None)
    if last and (job := status.job(last)) and job.error:
        jobs.failed(job)
    found = audits.of_run(run.id)
    if not found:
        st.markdown(
            "The audit looks for words that name groups of people in your data, swaps them in your validation rows and in "
            "everyday sentences written for this purpose, and measures whether the answer changes."
        )
    if found:
        with st.popover("Audit again", icon=":material/refresh:"):
            config = settings_panel(run)
            pressed = st.button("Start the audit", type="primary")
    else:
        config = settings_panel(run)
        pressed = st.button("Audit this round", type="primary")
    if pressed:
        st.session_state[f"auditing-{run.id}"] = audits.submit(run, config)
        st.rerun()
    if found:
        audit_panel(found[0])
        data_panel(run, found[0])
        with st.expander("Take a corrective action", icon=":material/balance:"), parts.guard():
            action_panel(project, run, found[0])
    lexicon_panel(project, identity_words.language_of(datasets.get_version(run.dataset_version_id)))
    corrections_panel(project)
    if found:
        screens.next_step("use")
