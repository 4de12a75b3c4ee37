"""Training: start, watch the model learn, pause or stop; closing the browser changes nothing."""

from __future__ import annotations

import streamlit as st

from core.services import recipes, runs
from core.ui import parts, screens
from core.ui.queue import queue_panel
from core.ui.training import run_view

project = screens.begin("training", "dataset", "model")

with parts.guard():
    found = runs.of_project(project.id)
    if not found:
        missing = runs.missing(project)
        st.info("No training yet. Start one with the settings of the Hyperparameters screen.", icon=":material/info:")
        label = "Start training" if not missing else f"First choose {missing[0][0]}"
        if st.button(label, type="primary", disabled=bool(missing)):
            run = runs.start(project.id, recipes.draft(project))
            screens.go("training", run=run.id)
        for what, step in missing:
            st.page_link(screens.page_of(step), label=f"Go and choose {what}", query_params=screens.here())
        st.stop()
    by_id = {run.id: run for run in found}
    wanted = st.query_params.get("run")
    chosen = found[0].id
    if len(found) > 1:
        chosen = st.selectbox(
            "Round",
            list(by_id),
            list(by_id).index(wanted) if wanted in by_id else 0,
            # No state here: it would stand still while the one below is drawn anew each second.
            format_func=lambda run_id: f"{by_id[run_id].number} · {by_id[run_id].name}",
        )
    st.query_params["run"] = chosen
    queue_panel(project)
    run_view(project, by_id[chosen], found)
