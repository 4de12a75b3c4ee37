"""Ready-made sample projects: data written for Tunewell, startable in one press."""

from __future__ import annotations

from pathlib import Path

from core.schemas.base import Schema
from core.store.config import PROJECT_ROOT
from core.store.tables import Project

from . import datasets, models, projects

FOLDER = PROJECT_ROOT / "assets" / "samples"


class Sample(Schema):
    """`success` is what the sample's author hopes for, checked at the evaluation."""

    key: str
    title: str
    description: str
    task: str
    file: str
    roles: dict[str, str]
    goal: str
    success: dict[str, str | float] = {}

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


def open_sample(key: str) -> tuple[Project, str]:
    """Make a project from a sample with the starter model chosen. Returns it and the id of the import job."""
    sample = get(key)
    project = projects.create(sample.title, sample.task, sample.goal, sample_key=key)
    projects.update(project.id, success=dict(sample.success), base_model_key=models.STARTER_KEY)
    with open(sample.path, "rb") as stream:
        upload = datasets.keep_upload(project.id, sample.file, stream)
    job_id = datasets.submit_import(project.id, [{"upload_id": upload.id}], sample.roles, sample.task, sample.title)
    return projects.get(project.id), job_id
