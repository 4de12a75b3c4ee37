"""Where a training begins: the base model, or the model of a finished run that has learned to answer."""

from __future__ import annotations

from pathlib import Path

from core.schemas.errors import UserError
from core.store import records
from core.store.files import run_folder
from core.store.tables import Project, Run
from core.tasks import registry as tasks

from . import projects

SETTING = "start_run"
FOLDER = "start"  # inside the folder of a run: the whole model that it began with
BASE = ""


def offered(task: str) -> bool:
    """Whether trainings of this task may begin with a run's model."""
    return tasks()[task].preference


def options(project: Project) -> list[Run]:
    """Finished runs whose model can be trained on, newest first: those that answer people, with the chosen base model."""
    known = tasks()
    return [
        run
        for run in records.find(Run, project_id=project.id)
        if run.summary and run.base_model_key == project.base_model_key and known[run.task].conversational
    ]


def chosen(project: Project) -> Run | None:
    """The run to begin with; the newest that learned answers unless the person has chosen; None for the base model."""
    if not project.task or not offered(project.task):
        return None
    found = {run.id: run for run in options(project)}
    said = project.settings.get(SETTING)
    if said == BASE:
        return None
    if said in found:
        return found[said]
    return next((run for run in found.values() if not tasks()[run.task].preference), None)


def choose(project: Project, run_id: str) -> None:
    """Keep the choice; `BASE` is the base model."""
    projects.settings(project.id, **{SETTING: run_id})


def note(run: Run) -> str:
    """What “base model” means for a run that began at another run's model; empty where it is the base model."""
    begun = records.get(Run, run.start_run_id) if run.start_run_id else None
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
