"""Find good settings: the part of the Hyperparameters screen that tries instead of guessing."""

from __future__ import annotations

import streamlit as st

from core.schemas.recipe import Recipe
from core.store.tables import Project

from .rate_finder import rate_finder_panel
from .seeds import seeds_panel
from .sweep import sweep_panel

WAYS = {
    "rate": ("Learning rate", rate_finder_panel),
    "sweep": ("Several settings", sweep_panel),
    "seeds": ("How much is luck", seeds_panel),
}


def good_settings(project: Project, recipe: Recipe, key: str, ready: bool) -> None:
    """Three ways to find settings by trying. `ready` says that a training could start."""
    st.subheader("Find good settings", anchor=False)
    st.caption(
        "Tries settings on your own data instead of guessing. Only the validation set is looked at, never the test set."
    )
    if not ready:
        st.info("As soon as a training can start, settings can be tried here.", icon=":material/info:")
        return
    way = st.segmented_control(
        "What to find", list(WAYS), default="rate", required=True, format_func=lambda k: WAYS[k][0], key=f"{key}-way",
        label_visibility="collapsed",
    )  # fmt: skip
    WAYS[way][1](project, recipe, key)
