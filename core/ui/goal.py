"""The first questions: what should the model learn, and what would success be?"""

from __future__ import annotations

import streamlit as st

from core.metrics import registry as metrics
from core.schemas.families import FAMILIES
from core.services import projects
from core.store.tables import Project
from core.tasks import registry as tasks
from core.tasks._base import TaskType


def goal_panel(project: Project) -> None:
    """Task as cards, goal in the person's words, and the hoped-for figure."""
    known = tasks()
    titles = {key: task.title for key, task in known.items()}
    chosen = st.radio(
        "Task",
        list(known),
        index=list(known).index(project.task) if project.task else None,
        format_func=titles.__getitem__,
        captions=[task.choose_when for task in known.values()],
        key=f"task-{project.id}",
    )
    goal = st.text_input(
        "Goal, in your own words",
        project.goal,
        placeholder="For example: send each message to the team that can answer it",
        help="It stands in the report and the model card.",
        max_chars=500,
    )
    success: dict[str, str | float] = {}
    if chosen:
        success = _hope(project, known[chosen])
    changed = chosen != project.task or goal != project.goal or success != project.success
    if st.button("Save", type="primary", disabled=not chosen or not changed):
        if project.dataset_version_id and chosen != project.task:
            # Columns were chosen for the other task: the data must be imported for this one.
            projects.update(project.id, dataset_version_id=None)
        projects.update(project.id, task=chosen, goal=goal, success=success)
        st.rerun()


def _hope(project: Project, task: TaskType) -> dict[str, str | float]:
    """The success that the person hopes for; checked at the evaluation."""
    wanted = (task.headline_metric,) if task.preference else FAMILIES[task.family].hopes
    keys = [k for k in wanted if k in metrics()]
    left, right = st.columns(2)
    none = "I have no figure in mind"
    current = project.success.get("metric")
    metric = left.selectbox(
        "What would success be?",
        [None, *keys],
        index=1 + keys.index(current) if current in keys else 0,
        format_func=lambda k: none if k is None else metrics()[k].title,
        help="The evaluation says whether it was reached, and how sure that is.",
    )
    if metric is None:
        right.caption("You can leave this open; the evaluation compares with the base model anyway.")
        return {}
    share = metrics()[metric].format == "percent"
    bounds = metrics()[metric].bounds
    top = bounds[1] if bounds else None
    value = float(project.success.get("target") or (0.8 if share else 40.0 if top == 100 else 0.5))
    limit = 100.0 if share or top == 100 else None
    shown = right.number_input(
        f"{metrics()[metric].title} of at {'least' if metrics()[metric].higher_is_better else 'most'}{' (%)' if share else ''}",
        0.0,
        limit,
        min(value * (100 if share else 1), limit or 1e12),
        1.0 if limit else 0.1,
        help=metrics()[metric].help,
    )
    return {"metric": metric, "target": shown / 100 if share else shown}
