"""Tokenization: see what the model will really read, and divide the data into training, validation and test."""

from __future__ import annotations

import streamlit as st

from core.schemas.plan import PreparationPlan
from core.services import datasets, preparation, tokens
from core.tasks import registry as tasks
from core.ui import parts, screens
from core.ui.tokenization import leak_panel, length_panel, split_form, token_panel

project = screens.begin("tokens", "dataset", "model")
saved = preparation.current(project)
stored = project.settings.get("plan") or (saved.config if saved else None)

with parts.guard():
    first = PreparationPlan.model_validate(stored) if stored else PreparationPlan()
    found = tokens.lengths(project, first)
    if stored is None:
        first = first.model_copy(update={"max_length": found.suggested})
    # A classifier reads one text at a time: there is nothing to pack.
    packs = tasks()[project.task or ""].family != "classifier"

    look, split = st.tabs(["Tokens", "Split"])
    with look:
        plan = length_panel(project, first, found, packs)
        token_panel(project, plan)
    with split:
        version = datasets.current(project)
        columns = [c for c in datasets.frame(version).columns if c != datasets.ROW_ID] if version else []
        plan = split_form(plan, columns, saved)
        if saved:
            leak_panel(project, saved)

    fresh = saved is None
    st.divider()
    left, right = st.columns([1, 3], vertical_alignment="center")
    same = saved is not None and PreparationPlan.model_validate(saved.config) == plan
    if left.button("Save plan", type="primary", disabled=same, width="stretch"):
        redraw = saved is not None and PreparationPlan.model_validate(saved.config).split != plan.split
        (preparation.new_split if redraw else preparation.save)(project, plan)
        st.rerun()
    if same and saved:
        counts = saved.counts
        right.caption(
            f"Saved: {counts['train']:,} rows for training, {counts['validation']:,} for validation, "
            f"{counts['test']:,} locked for the test."
        )
    elif not fresh:
        right.caption("Not saved yet. A different split starts a new test set: scores are not compared with earlier ones.")
    if saved:
        screens.next_step("recipe")
