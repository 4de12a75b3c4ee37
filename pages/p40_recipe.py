"""Hyperparameters: choose how the model learns, from a preset or setting by setting."""

from __future__ import annotations

import streamlit as st

from core.schemas.recipe import Recipe
from core.services import datasets, next_round, recipes, runs
from core.ui import parts, screens
from core.ui.balance import balance_panel
from core.ui.good_settings import good_settings
from core.ui.next_round import changes_panel
from core.ui.recipe import cost_panel, preset_buttons, yaml_panel
from core.ui.starting import starting_panel

project = screens.begin("recipe", "dataset", "model")
KEY = f"recipe-{project.id}"

with parts.guard():
    given = recipes.draft(project)
    starting_panel(project)
    preset_buttons(project, KEY)
    left, right = st.columns([3, 2], gap="large")
    with left:
        basic = parts.form(Recipe, given.model_dump(), level="basic", key_prefix=KEY)
        with st.expander("Advanced settings", icon=":material/tune:"):
            version = datasets.current(project)
            without = recipes.unused(project.task or "", version.roles if version else {})
            whole = parts.form(
                Recipe, {**given.model_dump(), **basic.values}, level="advanced", key_prefix=KEY, without=tuple(without)
            )
        recipe, errors = parts.validate(Recipe, {**given.model_dump(), **basic.values, **whole.values})
    with right:
        if recipe is None:
            st.warning("Mend the settings that are marked: " + "; ".join(errors.values()))
        else:
            recipes.keep_draft(project, recipe)
            changes_panel(project, recipe, KEY)
            cost_panel(project, recipe, KEY)
        # Beside the cost, so that it is seen without scrolling past the settings.
        missing = runs.missing(project)
        label = "Start training" if not missing else f"First choose {missing[0][0]}"
        ready = not missing and recipe is not None
        if st.button(label, type="primary", disabled=not ready, width="stretch") and recipe is not None:
            run = next_round.start(project, recipe)
            screens.go("training", run=run.id)
        for what, step in missing:
            st.page_link(screens.page_of(step), label=f"Go and choose {what}", query_params=screens.here())
        if recipe is not None:
            balance_panel(project, recipe)
            yaml_panel(project, recipe, KEY)
    if recipe is not None:
        good_settings(project, recipe, KEY, ready)
