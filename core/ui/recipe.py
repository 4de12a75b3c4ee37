"""Panels of the Hyperparameters screen: presets, what it costs, saving and loading."""

from __future__ import annotations

import streamlit as st

from core.schemas.recipe import Recipe
from core.services import dry_run, preparation, recipes
from core.store.tables import Project

from . import jobs, parts
from .models import COLOURS, gigabytes


def preset_buttons(project: Project, key: str) -> None:
    """Three presets; pressing one fills the form."""

    def take(name: str) -> None:
        recipe = recipes.for_project(project, name)
        recipes.keep_draft(project, recipe)
        parts.fill(Recipe, recipe.model_dump(), key)

    current = recipes.draft(project)
    for column, (name, (title, help_text)) in zip(st.columns(3), recipes.PRESETS.items(), strict=True):
        with column.container(border=True, height="stretch", vertical_alignment="distribute"):
            chosen = current == recipes.for_project(project, name)
            with st.container(gap="xsmall"):
                st.markdown(f"**{title}**" + (" :material/check:" if chosen else ""))
                st.caption(help_text)
            st.button(
                "Use this preset", key=f"{key}-{name}", on_click=take, args=(name,), width="stretch", disabled=chosen
            )


def duration(seconds: float) -> str:
    """A time in words."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def cost_panel(project: Project, recipe: Recipe, key: str) -> None:
    """Memory and time, live while the form changes."""
    cost = dry_run.estimate(project, recipe)
    with st.container(border=True):
        st.markdown("**What it will cost**")
        st.caption(
            f"Effective batch size {recipe.effective_batch_size} · about {cost.steps:,} steps · {cost.tokens:,} tokens",
            help=parts.term("effective batch size"),
        )
        left, right = st.columns(2)
        left.metric("Time, roughly", duration(cost.seconds))
        right.metric("Memory", gigabytes(cost.fit.needed))
        st.badge(cost.fit.verdict, color=COLOURS[cost.fit.verdict])  # type: ignore[arg-type]
        st.caption(
            f"{gigabytes(cost.fit.available)} are free on {cost.fit.device}. "
            + ("Measured here." if cost.measured else "A first guess: measure it, or an earlier run makes it better.")
        )
        _measure(project, recipe)
        if cost.fit.verdict == "does not fit":
            _make_it_fit(project, recipe, key)


def _measure(project: Project, recipe: Recipe) -> None:
    """The dry run: three real steps on the longest rows."""
    active = dry_run.running(project.id)
    if active:
        jobs.watch(active[0].id, "Measuring")
    elif dry_run.of(project, recipe) is None and preparation.current(project) is not None:
        failed = dry_run.last_failure(project.id, recipe)
        if failed is not None:
            jobs.failed(failed)
        help_text = "Trains three steps on your longest rows and throws them away: memory and time are then measured."
        if st.button("Measure with three steps", icon=":material/speed:", help=help_text):
            with parts.guard():
                dry_run.submit(project, recipe)
                st.rerun()


def _make_it_fit(project: Project, recipe: Recipe, key: str) -> None:
    """What would make it fit, and one button that does it."""
    found = recipes.fitted(project, recipe)
    st.warning("It needs more memory than is free. " + " ".join(found.changes))
    if not found.fits:
        st.caption("Even so it would not fit: choose a shorter maximum length or a smaller base model.")

    def take() -> None:
        recipes.keep_draft(project, found.recipe)
        parts.fill(Recipe, found.recipe.model_dump(), key)

    st.button("Make it fit", on_click=take, disabled=not found.changes, icon=":material/compress:")


def yaml_panel(project: Project, recipe: Recipe, key: str) -> None:
    """Save the recipe as a file, or load one."""
    with st.popover("Save or load", icon=":material/save:"):
        st.download_button("Save as YAML", recipes.to_yaml(recipe), "recipe.yaml", "application/yaml", width="stretch")
        given = st.file_uploader("Load a recipe", ["yaml", "yml"], key=f"{key}-file")

        def load() -> None:
            assert given is not None
            with parts.guard():
                loaded = recipes.from_yaml(given.getvalue().decode("utf-8", "replace"))
                recipes.keep_draft(project, loaded)
                parts.fill(Recipe, loaded.model_dump(), key)

        st.button("Use this file", on_click=load, disabled=given is None, width="stretch")
