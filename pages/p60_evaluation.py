"""Evaluation: see on examples it never saw whether the model got better, where not, and what to do next."""

from __future__ import annotations

import streamlit as st

from core.schemas.jobs import JobKind
from core.services import evaluations, runs, status
from core.ui import jobs, parts, screens
from core.ui.earlier_rounds import rounds_panel
from core.ui.evaluation import honest_panel, metrics_panel, verdict_panel
from core.ui.evaluation_sections import sections_panel
from core.ui.forgetting import forgetting_panel
from core.ui.judge import judge_panel
from core.ui.next_round import next_round_button
from core.ui.next_steps import next_steps_panel
from core.ui.openings_panel import asked, rows_choice
from core.ui.prediction_downloads import predictions_panel
from core.ui.writing_settings import decoding_caption, writing_form

project = screens.begin("evaluation", "training")

with parts.guard():
    found = runs.finished(project.id)
    by_id = {run.id: run for run in found}
    wanted = st.query_params.get("run")
    left, right = st.columns([2, 1])
    chosen = left.selectbox(
        "Round",
        list(by_id),
        list(by_id).index(wanted) if wanted in by_id else 0,
        format_func=lambda run_id: f"{by_id[run_id].number} · {by_id[run_id].name}",
    )
    run = by_id[chosen]
    split = rows_choice(run, right)
    active = [j for j in status.active_jobs(project.id) if j.kind is JobKind.EVALUATE]
    if active:
        jobs.watch(active[0].id, "Evaluating")
        st.stop()
    last = st.session_state.pop(f"evaluating-{run.id}", None)
    if last and (job := status.job(last)) and job.error:
        jobs.failed(job)

    writing_form(project, run)
    results = asked(project, run, split)
    if not results:
        st.stop()
    result = evaluations.result(results[0])
    verdict_panel(result)
    honest_panel(result)
    next_steps_panel(project, run, result)
    metrics_panel(result)
    decoding_caption(result)
    predictions_panel(run, results[0])
    rounds_panel(run, result)
    sections_panel(run, result)
    forgetting_panel(result)
    judge_panel(run, results[0], result)
    st.divider()
    with st.container(horizontal=True, gap="small"):
        next_round_button(project, run)
        st.caption("Copies the recipe of this round, so that you change one thing at a time.")
    screens.next_step("rounds", "All rounds")
    screens.next_step("samples")
