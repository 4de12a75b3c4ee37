"""What to do next, best first: each entry opens the right step with the right setting prepared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.schemas.analysis import NextStep
from core.schemas.evaluation import EvaluationResult
from core.schemas.recipe import Recipe
from core.services import analyses, coaching, datasets, evaluation_rows, relabel
from core.services.next_round import prepare
from core.store.tables import DatasetVersion, Project, Run

from . import parts, screens
from .dataset_fixes import fix_dialog
from .next_round import open_form

SHOWN = 3
ROWS = 20
_PREPARED = "prepared-fix"


def next_steps_panel(project: Project, run: Run, result: EvaluationResult) -> None:
    """The three steps that might put most rows right; the others on demand."""
    steps = analyses.load(result.analysis).steps
    if not steps:
        return
    st.subheader("Fix next", anchor=False)
    for place, step in enumerate(steps[:SHOWN], 1):
        _entry(project, run, step, place)
    if len(steps) > SHOWN:
        more = st.expander(f"{len(steps) - SHOWN} more", key=f"more-steps-{run.id}", on_change="rerun")
        if more.open:  # what is closed costs the browser nothing
            with more:
                for place, step in enumerate(steps[SHOWN:], SHOWN + 1):
                    _entry(project, run, step, place)


def prepared_fix(project: Project, version: DatasetVersion) -> None:
    """On the Dataset screen: open the fix that an evaluation has prepared, once."""
    found = st.session_state.get(_PREPARED)
    if found and found["project"] == project.id:
        del st.session_state[_PREPARED]
        fix_dialog(project, version, found["fix"], found["options"])


def _entry(project: Project, run: Run, step: NextStep, place: int) -> None:
    with st.container(border=True):
        said, pressed = st.columns([3, 1.4], vertical_alignment="center")
        said.markdown(f"**{place}. {parts.plain(step.title)}**  \n{parts.plain(step.text)}")
        if step.target:
            if pressed.button(step.button, key=f"next-{step.rule}-{place}", width="stretch"):
                with parts.guard():
                    _open(project, run, step.target, step.settings)
            if step.settings.get("merge") and pressed.button(
                "See what merging would do", key=f"merge-{place}", width="stretch"
            ):
                _prepare(project, "merge_labels", {"mapping": step.settings["merge"]})
        if step.row_ids:
            _rows(run, step, place)


def _rows(run: Run, step: NextStep, place: int) -> None:
    """The rows that a step is about, read and drawn once somebody opens them."""
    opened = st.expander(
        f"The rows ({len(step.row_ids)})", key=f"step-rows-{run.id}-{place}", type="compact", on_change="rerun"
    )
    if not opened.open:
        return
    with opened:
        found = evaluation_rows.texts(run, list(step.row_ids[:ROWS]))
        rows = [{"row": r, "text": _words(found[r])} for r in step.row_ids[:ROWS] if r in found]
        st.dataframe(rows, hide_index=True, width="stretch", height=220 if len(rows) > 5 else "content")


def _words(example: Any) -> str:
    return str(example.text or (example.prompt[-1].content if example.prompt else ""))


def _open(project: Project, run: Run, target: str, settings: Mapping[str, Any]) -> None:
    """Go to the step, with everything set as the advice says."""
    if target == "recipe":
        recipe = Recipe.model_validate(run.recipe)
        if settings.get("action"):
            recipe = coaching.apply(recipe, settings["action"])
        recipe = Recipe.model_validate({**recipe.model_dump(), **settings.get("recipe", {})})
        prepare(project, run, recipe)
        open_form(project)
    if "fix" in settings:
        _prepare(project, settings["fix"], settings.get("options", {}))
    version = datasets.current(project)
    if version is not None and (settings.get("queue") or settings.get("suspects")):
        queue = relabel.begin(
            project,
            version,
            "evaluation",
            settings["title"],
            settings.get("queue", ()),
            settings.get("suspects", ()),
        )
        screens.go("dataset", queue=queue.id)
    screens.go(target)


def _prepare(project: Project, fix: str, options: Mapping[str, Any]) -> None:
    st.session_state[_PREPARED] = {"project": project.id, "fix": fix, "options": dict(options)}
    screens.go("dataset")
