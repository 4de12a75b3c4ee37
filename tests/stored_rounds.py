"""Rounds that a test of the list of rounds needs: real rows of the store, made-up predictions of a given quality."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pandas as pd
import studying
import tiny_training as tiny

from core.schemas.curves import CURVES
from core.schemas.examples import Example
from core.schemas.jobs import JobState
from core.schemas.predictions import ClassPrediction, ClassPredictions
from core.schemas.recipe import Recipe
from core.services import datasets, evaluations, next_round, preparation, projects, runs
from core.store import curves, jobs, records
from core.store.engine import write
from core.store.tables import DatasetVersion, Evaluation, Project, Run

RECIPE = Recipe(
    method="full", learning_rate=2e-4, batch_size=8, epochs=2, evaluations_per_epoch=2, best_metric="accuracy"
)
VERSIONS = {"torch": "2.9.0", "transformers": "5.23.0"}


def project_of(project_id: str) -> Project:
    return projects.get(project_id)


def trained(
    project: Project, recipe: Recipe = RECIPE, parent: Run | None = None, *, begin: Any = "base", seconds: float = 83.0
) -> Run:
    """A finished round; with a parent, as the form would start it after that one."""
    project = projects.get(project.id)
    if parent is not None:
        next_round.prepare(project, parent, recipe, begin=begin)
        project = projects.get(project.id)
    run = next_round.start(project, recipe)
    fence = _claim(run)
    _curves(run)
    summary = {
        "ended": "done", "best_step": 30, "best_metric": "accuracy", "best_value": 0.75, "steps": 40, "epochs": 2.0,
        "seconds": seconds, "train_tokens": 60_000, "examples": {"train": 52, "validation": 12}, "peak_memory": 10**9,
        "device": "CPU", "precision": "float32", "versions": VERSIONS, "details": {"threads": 2},
    }  # fmt: skip
    runs.store_summary(run.id, summary)
    jobs.finish(run.job_id or "", fence, JobState.DONE, {"run_id": run.id})
    return runs.get(run.id)


def failed(project: Project, recipe: Recipe = RECIPE) -> Run:
    run = next_round.start(projects.get(project.id), recipe)
    studying.fail(run, _claim(run))
    return runs.get(run.id)


def _claim(run: Run) -> int:
    taken = studying.take()
    assert taken is not None and taken[0].id == run.id
    return taken[1]


def _curves(run: Run) -> None:
    points = []
    for step in range(0, 41, 4):
        values = {"loss": 1.1 * 0.95**step + 0.01 * run.number, "accuracy": 0.4 + 0.4 * (1 - 0.93**step)}
        for name, value in values.items():
            assert name in CURVES
            points += [
                curves.Point(run.id, name, part, step, step / 20, value, 0.0) for part in ("train", "validation")
            ]
    with write() as session:
        curves.append(session, points)


def said(examples: Sequence[Example], right: float, seed: int = 0) -> ClassPredictions:
    """Predictions that are right for this share of the rows: which ones, the seed decides."""
    rng = random.Random(seed)
    order = list(range(len(examples)))
    rng.shuffle(order)
    good = set(order[: round(right * len(examples))])
    items = []
    for place, example in enumerate(examples):
        gold = tiny.LABELS.index(example.label or "")
        chosen = gold if place in good else (gold + 1) % 3
        shares = tuple(0.8 if n == chosen else 0.1 for n in range(3))
        items.append(ClassPrediction(example.row_id, example.label or "", tiny.LABELS[chosen], shares))
    return ClassPredictions(tiny.LABELS, tuple(items))


def measured(
    run: Run,
    right: float,
    split: str = "validation",
    *,
    seed: int = 0,
    baselines: bool = False,
    plan_id: str | None = None,
    reason: str = "evaluation",
) -> Evaluation:
    """An evaluation of a round that is right about this share of the rows of a part; a base model about a third."""
    payload = {"reason": reason} | ({"plan_id": plan_id} if plan_id else {})
    given = evaluations.inputs(run, payload)
    rows = given.parts[split]
    contenders: dict[str, Any] = {"tuned": said(rows, right, seed), "base": said(rows, 0.34, 7)}
    if baselines:
        contenders |= evaluations.simple_baselines("classifier", given.parts, split)
    return evaluations.store(run, evaluations.judge(run, split, contenders, "", 1.0), payload)


def mended(project: Project, rows: int = 4) -> DatasetVersion:
    """A version in which some training rows say something else, with the same split."""
    project = projects.get(project.id)
    version, plan = datasets.current(project), preparation.current(project)
    assert version is not None and plan is not None
    frame = datasets.frame(version).copy()
    train = [row for row, part in preparation.assignment(plan).items() if part == "train"][:rows]
    frame.loc[frame[datasets.ROW_ID].isin(train), "text"] += " please"
    made = datasets.add_version(
        project.id, frame, roles=version.roles, title="mended", origin={"kind": "fix", "counts": {"changed": rows}},
        parent=version,
    )  # fmt: skip
    preparation.carry_over(project.id, version, made)
    return made


def unseen(count: int, seed: int = 5) -> pd.DataFrame:
    """Rows for a fresh test set, none of which was there before."""
    examples = tiny.classification(seed, count)
    texts = [f"{e.text}, order {seed * 1000 + n} of last week" for n, e in enumerate(examples)]
    return pd.DataFrame({"text": texts, "label": [e.label for e in examples]})


def remembered(project_id: str) -> list[Evaluation]:
    return records.find(Evaluation, project_id=project_id, newest_first=False)
