"""Where a training begins: the base model, or the model of a finished run that has learned to answer."""

from __future__ import annotations

from pathlib import Path

from core.schemas.errors import UserError
from core.schemas.families import FAMILIES
from core.store import records
from core.store.files import run_folder
from core.store.tables import Plan, Project, Run
from core.tasks import registry as tasks

from . import preparation, projects

SETTING = "start_run"
FOLDER = "start"  # inside the folder of a run: the whole model that it began with
BASE = ""


def options(project: Project) -> list[Run]:
    """Finished runs whose model can be trained on with the project's data, newest first.

    Preferences go on from any round that answers people; other tasks from rounds of the same task, for labels with the same
    ones. It has to be the chosen base model, and no row that the round learned may stand in the test set now.
    """
    found = [
        run
        for run in records.find(Run, project_id=project.id)
        if run.summary and run.base_model_key == project.base_model_key and _fits(run.task, project.task or "")
    ]
    plan = preparation.current(project) if found else None
    if plan is None:
        return found
    return [run for run in found if _same_labels(run, plan, project.task or "") and not _learned_the_test(run, plan)]


def _fits(task: str, wanted: str) -> bool:
    known = tasks()
    return known[task].conversational if known[wanted].preference else task == wanted


def _same_labels(run: Run, plan: Plan, task: str) -> bool:
    """Whether the model has the labels of the plan: those of another one would need a new head."""
    if not FAMILIES[tasks()[task].family].labels or run.plan_id == plan.id:
        return True
    return preparation.labels(preparation.get_plan(run.plan_id), run.task) == preparation.labels(plan, task)


def _learned_the_test(run: Run, plan: Plan) -> bool:
    """Whether the run, or one that it went on from, learned a row that is in the test part of the plan."""
    test = {row for row, part in preparation.assignment(plan).items() if part == "test"}
    at: Run | None = run
    seen: set[str] = set()
    while at is not None and at.id not in seen:
        seen.add(at.id)
        if at.plan_id != plan.id:
            places = preparation.assignment(preparation.get_plan(at.plan_id))
            if any(places.get(row) == "train" for row in test):
                return True
        at = records.get(Run, at.start_run_id) if at.start_run_id else None
    return False


def chosen(project: Project) -> Run | None:
    """The run to begin with; None for the base model. Preferences begin with the newest run that learned answers, unless the
    person has chosen; other tasks with the base model."""
    if not project.task:
        return None
    said, preference = project.settings.get(SETTING), tasks()[project.task].preference
    if said == BASE or (not said and not preference):
        return None
    found = {run.id: run for run in options(project)}
    if said in found:
        return found[said]
    if not preference:
        return None
    return next((run for run in found.values() if not tasks()[run.task].preference), None)


def choose(project: Project, run_id: str) -> None:
    """Keep the choice; `BASE` is the base model."""
    projects.settings(project.id, **{SETTING: run_id})


def note(run: Run) -> str:
    """What “base model” means for a run that began at another run's model; empty where it is the base model, as always for
    models that judge a text: only an untouched one has an opinion of its own about labels."""
    reads = FAMILIES[tasks()[run.task].family].reads
    begun = records.get(Run, run.start_run_id) if run.start_run_id and not reads else None
    return (
        f"Here the base model is the one that this training began with: your model of round {begun.number}."
        if begun
        else ""
    )


def folder_of(run: Run) -> Path:
    """Where the model lies that the run began with (worker and services agree on it)."""
    return run_folder(run.id) / FOLDER


def source_of(run: Run) -> Path | None:
    """The finished model that the run begins with, None for the base model. Raises UserError where it is gone."""
    if not run.start_run_id:
        return None
    folder = run_folder(run.start_run_id) / "model"
    if not folder.is_dir():
        raise UserError(
            "The model to begin with is gone.",
            "The run whose model this training was to go on from has no model folder any more.",
            "Choose another starting point on the Hyperparameters screen.",
        )
    return folder
