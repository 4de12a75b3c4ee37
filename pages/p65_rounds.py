"""Rounds: see what each round changed and what came of it, hold any two against each other, and go on from the best."""

from __future__ import annotations

import streamlit as st

from core.services import openings, rounds
from core.ui import parts, screens
from core.ui.archive_panel import reproduce_panel
from core.ui.fresh_test import fresh_test_panel
from core.ui.openings_panel import openings_list
from core.ui.rounds import measure_button, round_panel, rounds_table
from core.ui.rounds_chart import LEGEND, scores_plot, tree_html
from core.ui.rounds_compare import compare_panel

project = screens.begin("rounds", "dataset", "model")

with parts.guard():
    every = rounds.of_project(project)
    if not every:
        st.info("No round yet: each training is one. Start the first with your settings.", icon=":material/info:")
        screens.next_step("recipe", "Go to Hyperparameters")
        st.stop()
    tries = sum(bool(one.study) for one in every)
    if tries and st.toggle(f"Show {tries} tries of sweeps and repeats", key=f"tries-{project.id}"):
        tries = 0
    found = rounds.shown(every, tries=not tries)
    opened = openings.of_project(project.id)
    # Only what is looked at is drawn: comparing two rounds resamples thousands of rows.
    listed, compared, tested = st.tabs(
        ["All rounds", "Compare two", "The test set"], key="rounds-tabs", on_change="rerun"
    )
    with listed, parts.guard():
        if len(found) > 1:
            scores_plot(found, opened)
        measure_button(project, found)
        rounds_table(found, opened)
        by_id = {one.run.id: one for one in found}
        wanted = st.query_params.get("run")
        left, right = st.columns([2, 3], gap="large")
        chosen = right.selectbox(
            "Look at", list(by_id)[::-1],
            index=list(by_id)[::-1].index(wanted) if wanted in by_id else 0,
            format_func=lambda run_id: f"Round {by_id[run_id].number} · {by_id[run_id].run.name}",
            label_visibility="collapsed",
        )  # fmt: skip
        with left:
            st.html(tree_html(found, by_id[chosen].number) + LEGEND)
        with right:
            round_panel(project, by_id[chosen], rounds.twins(every))
    with compared, parts.guard():
        if compared.open:
            compare_panel(found)
    with tested, parts.guard():
        if tested.open:
            if opened:
                openings_list(opened, every)
            else:
                st.markdown(openings.sentence(openings.wear([])))
            st.subheader("Add a fresh test set", anchor=False)
            fresh_test_panel(project)
    with parts.guard():
        reproduce_panel(project)
    screens.next_step("samples")
