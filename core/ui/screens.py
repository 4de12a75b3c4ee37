"""The screens: found in `pages/`, described by their own first line, opened with what they need.

A screen is a file `pages/pNN_key.py` whose docstring is `Title: purpose in one sentence.` Its number is NN / 10. Where NN is no
multiple of ten, the screen stands beside the step before it and is none of the journey's steps itself.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import streamlit as st

from core.schemas.errors import UserError
from core.services import projects
from core.store.tables import Project

from .errors import show_error
from .page import Step, needs, page_header

FOLDER = Path(__file__).resolve().parents[2] / "pages"
NEEDS = {
    "dataset": "a dataset",
    "model": "a base model",
    "tokens": "a saved preparation plan",
    "training": "a finished training",
}


@dataclass(frozen=True)
class Screen:
    number: int
    key: str
    title: str
    purpose: str
    file: Path
    step: bool = True


@cache
def all_screens() -> tuple[Screen, ...]:
    """Every screen in journey order."""
    found = []
    for file in sorted(FOLDER.glob("p[0-9]*_*.py")):
        number, key = file.stem[1:].split("_", 1)
        title, _, purpose = (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or key).partition(": ")
        said = " ".join((purpose[:1].upper() + purpose[1:]).split())
        found.append(Screen(int(number) // 10, key, title, said, file, step=int(number) % 10 == 0))
    return tuple(found)


def screen(key: str) -> Screen:
    return next(s for s in all_screens() if s.key == key)


def page_of(key: str) -> str:
    """What `st.page_link` and `st.switch_page` take."""
    return str(screen(key).file)


def project_id() -> str | None:
    """The project of this address."""
    return st.query_params.get("project")


def here() -> dict[str, str]:
    """Query parameters that keep the project when going to another screen."""
    chosen = project_id()
    return {"project": chosen} if chosen else {}


def go(key: str, **parameters: str) -> None:
    """Open another screen of the same project."""
    st.switch_page(page_of(key), query_params={**here(), **parameters})


def begin(key: str, *required: str) -> Project:
    """Draw the header, find the project, and end the screen with a link where something it needs is missing."""
    this = screen(key)
    page_header(this.number if this.step else None, this.title, this.purpose)
    chosen = project_id()
    if not chosen:
        needs("Open a project first.", page_of("projects"), "Go to Projects")
        st.stop()
    try:
        project = projects.get(chosen)
    except UserError as error:
        show_error(error)
        st.page_link(page_of("projects"), label="Go to Projects", icon=":material/arrow_forward:")
        st.stop()
    done = projects.progress(project)
    for step in required:
        if not done[step]:
            needs(f"This step needs {NEEDS[step]}.", page_of(step), f"Go to {screen(step).title}", here())
            st.stop()
    return project


def rail(current: str) -> list[Step]:
    """The steps for the journey rail, with their state."""
    chosen = project_id()
    done: dict[str, bool] = {}
    if chosen:
        try:
            done = projects.progress(projects.get(chosen))
        except UserError:
            chosen = None
    steps = []
    for s in all_screens():
        state = "current" if s.key == current else "done" if done.get(s.key) else "open"
        why = ""
        if s.number and not chosen:
            state, why = ("current" if s.key == current else "blocked"), "open a project first"
        steps.append(Step(s.number if s.step else None, s.title, page_of(s.key), state, why))  # type: ignore[arg-type]
    return steps


def next_step(key: str, label: str | None = None) -> None:
    """A quiet link to the following screen at the end of a page."""
    target = screen(key)
    st.page_link(
        page_of(key), label=label or f"Next: {target.title}", icon=":material/arrow_forward:", query_params=here()
    )
