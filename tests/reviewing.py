"""A chat project with a finished round and made-up answers to judge: nothing is trained and no model writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import tiny_training as tiny

from core.schemas.plan import PreparationPlan
from core.schemas.predictor import Decoding
from core.schemas.recipe import Recipe
from core.schemas.reviews import ReviewSpec
from core.services import datasets, models, preparation, projects, reviews, runs
from core.store.tables import Project, Run, SampleSet

SUMMARY = {
    "best_step": 1, "best_metric": "eval_loss", "best_value": 1.0, "seconds": 10.0, "train_tokens": 100, "ended": "done",
}  # fmt: skip


def chat_project(model: str, rows: int = 120, max_length: int = 72) -> Project:
    """`model` is the key of a base model. No two questions are alike."""
    made = projects.create("a shop", "chat").id
    examples = tiny.chats(1, rows)
    table = {
        "row_id": [e.row_id for e in examples],
        "question": [f"{e.prompt[0].content} {n}" for n, e in enumerate(examples)],
        "answer": [e.reference for e in examples],
    }
    roles = {"prompt": "question", "response": "answer"}
    datasets.add_version(
        made, pd.DataFrame(table), roles=roles, title="chats", origin={"kind": "import", "task": "chat"}
    )
    projects.update(made, base_model_key=model)
    preparation.save(projects.get(made), PreparationPlan(max_length=max_length))
    return projects.get(made)


def with_model(folder: str) -> str:
    return models.add_folder(folder).key


def finished_run(project: Project, recipe: Recipe | None = None) -> Run:
    run = runs.start(project.id, recipe or Recipe(method="full", batch_size=8, epochs=1))
    runs.store_summary(run.id, SUMMARY)
    return runs.get(run.id)


def questions(run: Run, part: str) -> list[str]:
    return [e.prompt[-1].content for e in runs.inputs(run).parts[part]]


def item(prompt: str, **answers: Any) -> dict[str, Any]:
    return {"prompt": prompt, "turns": [], "reference": "", "finished": {}, **answers}


def sampled(run: Run, items: Sequence[dict[str, Any]], spec: ReviewSpec | None = None) -> SampleSet:
    return reviews.store(run, Decoding(), items, spec)


def compared(run: Run, *keys: str, **more: Any) -> ReviewSpec:
    """A review between these contenders of the run, in this order."""
    everyone = {c.key: c for c in reviews.contenders(run)}
    return ReviewSpec(contenders=tuple(everyone[key] for key in keys), **more)
