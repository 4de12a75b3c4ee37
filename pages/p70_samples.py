"""Samples: read what base and tuned model write, without knowing which is which, and rate it."""

from __future__ import annotations

import streamlit as st

from core.schemas.families import FAMILIES
from core.schemas.jobs import JobKind
from core.services import reviews, runs, starting, status
from core.tasks import registry as tasks
from core.ui import jobs, parts, screens
from core.ui.review import generate_form, result_panel, review_panel
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
    chosen = st.selectbox("Round", list(by_id), format_func=lambda r: f"{by_id[r].number} · {by_id[r].name}")
    run = by_id[chosen]
    if note := starting.note(run):
        st.caption(note)
    active = [j for j in status.active_jobs(project.id) if j.kind is JobKind.GENERATE]
    if active:
        jobs.watch(active[0].id, "Writing samples")
        st.stop()
    sets = reviews.sets(run)
    if not sets:
        generate_form(run, expanded=True)
        st.stop()
    review_panel(sets[0])
    result_panel(sets[0])
    teaching_panel(project, run)
    generate_form(run, expanded=False)
    screens.next_step("bias")
