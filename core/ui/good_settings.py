"""Find good settings: the part of the Hyperparameters screen that tries instead of guessing."""

from __future__ import annotations

import streamlit as st

from core.schemas.recipe import Recipe
from core.store.tables import Project

from .rate_finder import rate_finder_panel


def good_settings(project: Project, recipe: Recipe, key: str, ready: bool) -> None:
    """Ways to find settings by trying. `ready` says that a training could start."""
    st.subheader("Find good settings", anchor=False)
    if not ready:
        st.caption("As soon as a training can start, settings can be tried here.")
    rate_finder_panel(project, recipe, key, ready)
