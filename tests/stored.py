"""Rows that a test of the store or the worker needs before it can begin."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import tiny_training as tiny

from core.schemas.plan import PreparationPlan
from core.services import datasets, models, preparation, projects
from core.store import records
from core.store.tables import DatasetVersion, Plan, Project, Run


def project(name: str = "a project") -> Project:
    return records.add(Project(name=name, task="classification"))


def run(owner: Project | None = None) -> Run:
    """A run with the project, dataset version and plan that it needs."""
    owner = owner or project()
    version = records.add_numbered(
        DatasetVersion(project_id=owner.id, title="rows", content="none", rows=0, roles={}, origin={})
    )
    plan = records.add(Plan(project_id=owner.id, dataset_version_id=version.id, config={}, counts={}, content="none"))
    return records.add_numbered(
        Run(
            project_id=owner.id,
            name="a run",
            dataset_version_id=version.id,
            plan_id=plan.id,
            base_model_key="starter",
            task="classification",
            recipe={},
        )
    )


def trainable(base: Path) -> str:
    """A project with made-up rows, a plan and the model in folder `base`: a training of it can start. Returns its id."""
    import pandas as pd
    import tiny_training as tiny

    from core.schemas.plan import PreparationPlan
    from core.services import datasets, models, preparation, projects

    made = projects.create("a project", "classification")
    rows = tiny.classification(1, 380)
    columns = {
        "row_id": [e.row_id for e in rows],
        "text": [f"{e.text} {e.text}" for e in rows],  # twice, so that a step takes its time
        "label": [e.label for e in rows],
    }
    roles = {"text": "text", "label": "label"}
    datasets.add_version(made.id, pd.DataFrame(columns), roles=roles, title="made up", origin={})
    projects.update(made.id, base_model_key=models.add_folder(str(base)).key)
    preparation.save(projects.get(made.id), PreparationPlan(max_length=96))
    return made.id


def slow_training(project_id: str, epochs: int = 10) -> Run:
    """A training of 16 steps and a checkpoint an epoch: long enough to be interrupted, short enough to wait for."""
    from core.schemas.recipe import Recipe
    from core.services import runs

    recipe = Recipe(
        method="lora", lora_dropout=0.1, learning_rate=5e-3, batch_size=16, epochs=epochs, evaluations_per_epoch=1,
        early_stopping=0,
    )  # fmt: skip
    return runs.start(project_id, recipe)


def small_project(base: Path, rows: int = 80) -> Project:
    """A classification project with made-up rows, a split and this base model: a training can start."""
    made = projects.create("a project", "classification").id
    examples = tiny.classification(1, rows)
    columns = {
        "row_id": [e.row_id for e in examples],
        "text": [e.text for e in examples],
        "label": [e.label for e in examples],
    }
    datasets.add_version(
        made, pd.DataFrame(columns), roles={"text": "text", "label": "label"}, title="made up", origin={}
    )
    projects.update(made, base_model_key=models.add_folder(str(base)).key)
    preparation.save(projects.get(made), PreparationPlan(max_length=64))
    return projects.get(made)


def rated_answers(project_id: str, count: int, max_length: int) -> None:
    """Give the project made-up answers with thumbs, and a split: preferences can be trained."""
    examples = tiny.thumbs(1, count)
    columns = {
        "row_id": [e.row_id for e in examples],
        "question": [f"{e.prompt[0].content} {n}" for n, e in enumerate(examples)],
        "answer": [e.reference for e in examples],
        "thumb": ["up" if e.liked else "down" for e in examples],
    }
    projects.update(project_id, task="preference")
    roles = {"prompt": "question", "response": "answer", "rating": "thumb"}
    datasets.add_version(project_id, pd.DataFrame(columns), roles=roles, title="thumbs", origin={})
    preparation.save(projects.get(project_id), PreparationPlan(max_length=max_length))


def chat_project(base: Path, rows: int = 60) -> Project:
    """A project of made-up questions and answers on this base model that is ready to train."""
    made = projects.create("a shop", "chat").id
    examples = tiny.chats(1, rows)
    columns = {
        "row_id": [e.row_id for e in examples],
        "question": [f"{e.prompt[0].content} {n}" for n, e in enumerate(examples)],
        "answer": [e.reference for e in examples],
    }
    roles = {"prompt": "question", "response": "answer"}
    datasets.add_version(made, pd.DataFrame(columns), roles=roles, title="chats", origin={"task": "chat"})
    projects.update(made, base_model_key=models.add_folder(str(base)).key)
    preparation.save(projects.get(made), PreparationPlan(max_length=80))
    return projects.get(made)
