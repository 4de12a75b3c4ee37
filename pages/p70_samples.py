"""Samples: read what models write, without knowing which is which, and rate it."""

from __future__ import annotations

import streamlit as st

from core.schemas.families import FAMILIES
from core.schemas.jobs import JobKind
from core.services import reviews, runs, starting, status
from core.tasks import registry as tasks
from core.ui import jobs, parts, screens
from core.ui.review import end_panel, review_panel
from core.ui.review_form import generate_form
from core.ui.review_people import choose_rater, choose_set
from core.ui.review_result import refused_note, result_panel
from core.ui.teaching import teaching_panel

project = screens.begin("samples", "training")

with parts.guard():
    if FAMILIES[tasks()[project.task or ""].family].reads:
        st.info(
            "This model judges texts and writes none, so there is nothing to read here. Its mistakes are on the Evaluation "
            "screen, and you can try your own texts on the last screen.",
            icon=":material/info:",
        )
        screens.next_step("bias")
        st.stop()
    found = runs.finished(project.id)
    by_id = {run.id: run for run in found}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox("Round", list(by_id), format_func=lambda r: f"{by_id[r].number} · {by_id[r].name}")
        run = by_id[chosen]
        sets = reviews.sets(run)
        sample_set = choose_set(sets)
        rater = choose_rater(sample_set)
    active = [j for j in status.active_jobs(project.id) if j.kind is JobKind.GENERATE]
    if active:
        jobs.watch(active[0].id, "Writing samples")
        st.stop()
    if (failed := reviews.failed(run)) is not None:
        jobs.failed(failed)
    if sample_set is None:
        if note := starting.note(run):
            st.caption(note)
        before = reviews.came_from(run)
        if before is not None:
            st.info(
                f"Do people prefer it? This round learned from what was judged in round {before.number}. Compare the two on "
                "prompts that nobody has judged yet.",
                icon=":material/compare:",
            )
        generate_form(project, run, expanded=True)
        st.stop()
    if reviews.state(sample_set, rater).ended:
        result_panel(run, sample_set, rater)
        teaching_panel(project, run)
    else:
        refused_note(sample_set)
        review_panel(sample_set, rater)
        end_panel(sample_set, rater)
    generate_form(project, run, expanded=False)
    screens.next_step("bias")
