"""Evaluation: see on examples it never saw whether the model got better, where not, and what to do next."""

from __future__ import annotations

import streamlit as st

from core.schemas.jobs import JobKind
from core.services import evaluations, runs, status
from core.ui import jobs, parts, screens
from core.ui.evaluation import honest_panel, metrics_panel, verdict_panel
from core.ui.evaluation_sections import sections_panel
from core.ui.next_steps import next_steps_panel
from core.ui.training import next_round

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
    split = right.segmented_control(
        "Rows",
        ["test", "validation"],
        default="test",
        required=True,
        format_func={"test": "Test set", "validation": "Validation"}.__getitem__,
        help="Look at validation as often as you like. The test set stays honest only while it is opened rarely.",
    )
    active = [j for j in status.active_jobs(project.id) if j.kind is JobKind.EVALUATE]
    if active:
        jobs.watch(active[0].id, "Evaluating")
        st.stop()
    last = st.session_state.pop(f"evaluating-{run.id}", None)
    if last and (job := status.job(last)) and job.error:
        jobs.failed(job)

    opened = evaluations.openings(project, runs.test_set_lineage(run))
    results = evaluations.of_run(run.id, split)
    if split == "test":
        times = f"opened {len(opened)} time{'s' * (len(opened) != 1)}" if opened else "not opened yet"
        st.caption(
            f":material/lock: The test set was {times}. Each opening is counted, because choosing by it wears it out."
        )
    label = f"Open the test set and evaluate {run.name}" if split == "test" else f"Evaluate {run.name} on validation"
    if results:
        pressed = st.button("Evaluate again", icon=":material/refresh:")
    else:
        pressed = st.button(label, type="primary")
    if pressed:
        st.session_state[f"evaluating-{run.id}"] = evaluations.submit(run, split or "test")
        st.rerun()
    if not results:
        st.stop()
    result = evaluations.result(results[0])
    verdict_panel(result)
    honest_panel(result)
    next_steps_panel(project, run, result)
    metrics_panel(result)
    sections_panel(run, result)
    st.divider()
    with st.container(horizontal=True, gap="small"):
        if st.button("Start the next round", icon=":material/replay:", type="primary"):
            next_round(project, run)
        st.caption("Copies the recipe of this round, so that you change one thing at a time.")
    screens.next_step("samples")
