"""Tokenization: see what the model will really read, and divide the data into training, validation and test."""

from __future__ import annotations

import streamlit as st

from core.schemas.families import FAMILIES
from core.schemas.plan import PreparationPlan
from core.services import datasets, preparation, tokens
from core.tasks import registry as tasks
from core.ui import parts, screens
from core.ui.batching import batching_panel
from core.ui.conversation import conversation_panel
from core.ui.split_panel import leak_panel, split_panel
from core.ui.tokenization import length_panel, token_panel

project = screens.begin("tokens", "dataset", "model")
saved = preparation.current(project)
version = datasets.current(project)

with parts.guard():
    assert version is not None
    stored = project.settings.get("plan") or (saved.config if saved else None)
    plan = PreparationPlan.model_validate(stored) if stored else preparation.first_plan(version)
    # A model that judges a text reads one at a time, so does an encoder, and preferences weigh answers: nothing to pack.
    task = tasks()[project.task or ""]
    packs = FAMILIES[task.family].packs and not task.preference
    blocked = ""

    look, fill, split = st.tabs(["Tokens", "Batches", "Split"])
    with look:
        lengths_place, conversation_place = st.container(), st.container()
        if task.conversational:
            with conversation_place:
                plan, blocked = conversation_panel(project, plan)
        if not blocked:
            found = tokens.lengths(project, plan)
            if stored is None:
                plan = plan.model_copy(update={"max_length": found.suggested})
            with lengths_place:
                plan = length_panel(project, plan, found)
            token_panel(project, plan, version.rows)
    with fill:
        if not blocked:
            plan = batching_panel(project, plan, found, packs)
    with split:
        plan = split_panel(project, version, plan, saved)
        if saved:
            leak_panel(project, saved)

    st.divider()
    left, right = st.columns([1, 3], vertical_alignment="center")
    before = PreparationPlan.model_validate(saved.config) if saved else None
    if left.button("Save plan", type="primary", disabled=before == plan or bool(blocked), width="stretch"):
        redraw = before is not None and before.split != plan.split
        with st.spinner("Splitting"):
            (preparation.new_split if redraw else preparation.save)(project, plan)
        st.rerun()
    if blocked:
        right.caption(f":material/block: This cannot be saved yet. {blocked}: see the chat template.")
    elif saved and before == plan:
        counts = saved.counts
        right.caption(
            f"Saved: {counts['train']:,} rows for training, {counts['validation']:,} for validation, "
            f"{counts['test']:,} locked for the test."
        )
    elif before is not None and before.split != plan.split:
        right.caption(
            "Not saved yet. A different split starts a new test set: scores are not compared with earlier ones."
        )
    elif saved:
        right.caption("Not saved yet. The split stays as it is.")
    if saved:
        screens.next_step("recipe")
