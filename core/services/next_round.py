"""The next round: the settings of any round copied into the form, with its parent, its data and where it begins."""

from __future__ import annotations

from typing import Literal

from core.schemas.recipe import Recipe
from core.store import records
from core.store.tables import DatasetVersion, Plan, Project, Run

from . import datasets, preparation, projects, recipes, runs, starting
from .round_changes import Basis, Change, basis, changes

SETTING = "parent_run"
Begin = Literal["base", "round"]
Data = Literal["now", "same"]


def newer_data(project: Project, run: Run) -> DatasetVersion | None:
    """The project's current version where it is another than the run's and for the same task: then there is a choice."""
    current = datasets.current(project)
    if current is None or current.id == run.dataset_version_id or project.task != run.task:
        return None
    return current if preparation.current(project) is not None else None


def prepare(
    project: Project, run: Run, recipe: Recipe | None = None, begin: Begin | None = None, data: Data = "now"
) -> None:
    """Fill the form for a round after this one: its recipe (or the given one), its base model, and as the person chooses the
    data that the project uses now or that of the round, from the base model or going on from the round's weights.

    Without a choice it begins where the round began.
    """
    if data == "same" or newer_data(project, run) is None:
        datasets.go_back(project.id, run.dataset_version_id)
    start = {"base": starting.BASE, "round": run.id, None: run.start_run_id or starting.BASE}[begin]
    projects.update(project.id, task=run.task, base_model_key=run.base_model_key)
    projects.settings(project.id, **{SETTING: run.id, starting.SETTING: start})
    recipes.keep_draft(project, recipe or Recipe.model_validate(run.recipe))


def can_go_on(project: Project, run: Run) -> bool:
    """Whether a round may begin with this one's weights, with the project as it is now."""
    return any(run.id == option.id for option in starting.options(project))


def parent(project: Project) -> Run | None:
    """The round that the form's settings were copied from."""
    said = project.settings.get(SETTING)
    found = records.get(Run, str(said)) if said else None
    return found if found is not None and found.project_id == project.id else None


def forget(project: Project) -> None:
    """The form stands for itself again: a round that starts now has no parent but the one that it goes on from."""
    projects.settings(project.id, **{SETTING: None})


def planned(project: Project, recipe: Recipe) -> Basis | None:
    """What the next round would be made of; None while something it needs is missing."""
    plan: Plan | None = preparation.current(project)
    if plan is None or not project.task or not project.base_model_key:
        return None
    begins = starting.chosen(project)
    dumped = recipe.model_dump(mode="json")
    start = begins.id if begins else None
    return Basis(project.task, dumped, plan.dataset_version_id, plan.id, project.base_model_key, start)


def difference(project: Project, recipe: Recipe) -> tuple[Run, list[Change]] | None:
    """(parent, what the next round would do differently from it); None without a parent."""
    before, after = parent(project), planned(project, recipe)
    if before is None or after is None:
        return None
    return before, changes(basis(before), after)


def start(project: Project, recipe: Recipe) -> Run:
    """Start the training of the form, with its parent on record. Raises UserError that names what is missing."""
    before = parent(project)
    run = runs.start(project.id, recipe, parent_id=before.id if before else None)
    forget(project)
    return run
