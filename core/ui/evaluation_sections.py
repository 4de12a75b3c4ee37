"""The sections of the Evaluation screen that look closer: one tab each, and only the open one is drawn."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.schemas.evaluation import EvaluationResult
from core.services import analyses
from core.store.tables import Run

from . import parts
from .evaluation import examples_panel
from .evaluation_categories import classes_panel
from .evaluation_confidence import confidence_panel
from .evaluation_curves import curves_panel
from .evaluation_reading import furthest_panel, labels_panel, numbers_panel
from .evaluation_threshold import threshold_panel
from .evaluation_weak import slices_panel, suspects_panel

Section = Callable[[], None]


def sections(run: Run, result: EvaluationResult) -> dict[str, Section]:
    """Title and what to draw, in the order of reading: what it got wrong, where, how sure, and what could be set."""
    found = analyses.load(result.analysis)
    if not result.analysis:
        examples: dict[str, Section] = {"Examples": lambda: examples_panel(run, result)}
        if result.family == "classifier":
            examples["Categories"] = lambda: classes_panel(run, result)
        return examples
    weak: dict[str, Section] = {"Weak spots": lambda: slices_panel(run, result, found)}
    if result.family == "classifier":
        return {
            "Examples": lambda: examples_panel(run, result),
            "Categories": lambda: classes_panel(run, result),
            "How sure": lambda: confidence_panel(result, found),
            **weak,
            "Doubtful labels": lambda: suspects_panel(run, result, found),
            "Curves": lambda: curves_panel(result, found),
            "Threshold": lambda: threshold_panel(result),
        }
    if result.family == "multi-label":
        return {
            "Examples": lambda: examples_panel(run, result),
            "Labels": lambda: labels_panel(result),
            **weak,
            "Curves": lambda: curves_panel(result, found),
            "Threshold": lambda: threshold_panel(result),
        }
    if result.family == "regression":
        return {
            "Predictions": lambda: numbers_panel(result),
            "Furthest off": lambda: furthest_panel(run, result),
            **weak,
        }
    return {"Examples": lambda: examples_panel(run, result), **weak}


def sections_panel(run: Run, result: EvaluationResult) -> None:
    """The tabs. A result of an older version has fewer of them, and says how to get the others."""
    st.subheader("Look closer", anchor=False)
    found = sections(run, result)
    for tab, draw in zip(
        st.tabs(list(found), on_change="rerun", key=f"closer-{result.split}"), found.values(), strict=True
    ):
        if tab.open:
            with tab, parts.guard():
                draw()
    if not result.analysis:
        st.caption(
            "This result is of an older version. Evaluate again to see weak spots, confidence and what to fix next."
        )
