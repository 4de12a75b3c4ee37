"""Ready-made sample projects: data written for Tunewell, startable in one press."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.schemas.base import Schema
from core.schemas.plan import PreparationPlan
from core.store.config import PROJECT_ROOT
from core.store.tables import Project, Run

from . import datasets, fixes, health, models, preparation, projects, recipes, runs, tokens

FOLDER = PROJECT_ROOT / "assets" / "samples"


class Sample(Schema):
    """`success` is what the sample's author hopes for, checked at the evaluation. `fix` is applied before the first
    training, as a version of its own. `recipe` changes the balanced preset, so that two processor cores need less than
    three minutes."""

    key: str
    title: str
    description: str
    task: str
    file: str
    roles: dict[str, str]
    goal: str
    success: dict[str, str | float] = {}
    fix: str | None = None
    recipe: dict[str, Any] = {}

    @property
    def path(self) -> Path:
        return FOLDER / self.file


SAMPLES = (
    Sample(
        key="support",
        title="Sort support messages",
        description="About 1,500 messages to a shop, in 6 categories, with a few planted flaws to find.",
        task="classification",
        file="support_messages.csv",
        roles={"text": "message", "label": "category"},
        goal="Send each customer message to the team that can answer it.",
        success={"metric": "accuracy", "target": 0.8},
        fix="merge_labels",  # else a misspelt label would be a category of its own with a row or two
        recipe={"epochs": 6.0, "evaluations_per_epoch": 1},
    ),
    Sample(
        key="questions",
        title="Answer questions about a shop",
        description="About 300 questions with friendly answers, all about one invented shop.",
        task="chat",
        file="shop_questions.jsonl",
        roles={"prompt": "question", "response": "answer"},
        goal="Answer customers' questions about the shop in its own friendly voice.",
    ),
    Sample(
        key="style",
        title="Write like a lighthouse keeper",
        description="A few dozen short texts in one style, for the model to continue in the same manner.",
        task="completion",
        file="style_texts.jsonl",
        roles={"text": "text"},
        goal="Write short log entries in the keeper's manner.",
    ),
)


def get(key: str) -> Sample:
    return next(s for s in SAMPLES if s.key == key)


def start(key: str) -> tuple[Project, Run]:
    """Make a project from a sample with everything chosen, and start its first training.

    The files are small, so they are read at once and not by the worker: one press leads to a moving curve.
    """
    sample = get(key)
    project = projects.create(sample.title, sample.task, sample.goal, sample_key=key)
    projects.update(project.id, success=dict(sample.success), base_model_key=models.STARTER_KEY)
    with open(sample.path, "rb") as stream:
        upload = datasets.keep_upload(project.id, sample.file, stream)
    payload = {"files": [{"upload_id": upload.id}], "roles": sample.roles, "task": sample.task, "title": sample.title}
    version = datasets.import_files(project.id, payload)
    project = projects.get(project.id)
    if sample.fix:  # its version is checked; the one before it would only be checked beside the training and slow it
        fixes.apply(project, version, sample.fix, {})
        project = projects.get(project.id)
    else:
        health.submit(project.id, version.id)
    plan = PreparationPlan()
    preparation.save(project, plan.model_copy(update={"max_length": tokens.lengths(project, plan).suggested}))
    recipe = recipes.for_project(project, "balanced").model_copy(update=sample.recipe)
    recipes.keep_draft(project, recipe)
    return project, runs.start(project.id, recipe)
