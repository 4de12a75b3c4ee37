"""From judgements to the next round: they become training data, and what is measured on stays what it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from core.data.duplicates import normalise
from core.data.splitting import FEWEST_TEXTS
from core.schemas.errors import UserError
from core.schemas.plan import PreparationPlan, SplitPlan
from core.store import records
from core.store.tables import DatasetVersion, Plan, Project, Run
from core.tasks import registry as tasks

from . import datasets, health, preparation, projects, recipes, review_prompts, starting
from .lessons import ADVISED, FEWEST, SOURCES, Lesson, Way, advice, lesson, usable_thumbs

__all__ = ["ADVISED", "FEWEST", "SOURCES", "WAYS", "Lesson", "Way", "advice", "can", "fits", "lesson", "teach"]

TASK = "preference"
WAYS: dict[Way, tuple[str, str]] = {
    "pairs": ("Prefer the better answers", "Pairs of a better and a worse answer (DPO). Goes on from this round's model."),
    "thumbs": ("More of the liked, less of the disliked", "Single answers, liked or not (KTO). Goes on from this round's model."),
    "answers": (
        "Learn the corrected answers",
        "Your corrections join the training rows; the model is trained anew on all of them.",
    ),
}  # fmt: skip
ROLES: dict[Way, dict[str, str]] = {
    "pairs": {"prompt": "prompt", "chosen": "chosen", "rejected": "rejected"},
    "thumbs": {"prompt": "prompt", "response": "response", "rating": "rating"},
}


def fits(run: Run) -> bool:
    """Whether a model of this task can learn from votes: it answers people, and the answers stand in conversations."""
    return tasks()[run.task].conversational


def can(found: Lesson, way: Way) -> str:
    """Why this way cannot be taken; empty where it can."""
    if way == "answers":
        return "" if found.answers else "No answer was corrected yet."
    if way == "thumbs":
        return "" if usable_thumbs(found) else (
            f"It takes at least {FEWEST} judged answers, 3 or more of them liked and 3 or more not."
        )  # fmt: skip
    if len(found.pairs) < FEWEST or len({normalise(pair.prompt) for pair in found.pairs}) < FEWEST_TEXTS:
        return (
            f"They give {len(found.pairs)} pairs of a better and a worse answer; it takes at least {FEWEST}, to "
            f"{FEWEST_TEXTS} or more different questions."
        )
    return ""


def teach(project: Project, run: Run, way: Way = "pairs") -> DatasetVersion:
    """Make the judgements of this run's samples the project's dataset for the next round.

    Preferences become a dataset of their own with a split of its own, or join the training part where the run was itself
    trained on preferences of this kind; corrections join the training part of the data that the answers were learned from.
    Rows for validation and test stay where they are, but for validation rows that ask what was judged: they leave the new
    version, or the model would be measured on what it was just taught. Raises UserError where there is too little.
    """
    found = lesson(run)
    if reason := can(found, way):
        raise UserError(
            "There are too few votes to learn from.",
            reason,
            f"Judge more samples, or write better answers of your own. {ADVISED} pairs or more are advised.",
        )
    task = TASK
    before: tuple[DatasetVersion, Plan] | None
    if way == "answers":
        learned = next((r for r in review_prompts.ancestry(run) if not tasks()[r.task].preference), run)
        task, before = learned.task, _newest(project, learned)
        roles = before[0].roles
    else:
        roles = ROLES[way]
        before = _newest(project, run) if _holds(run, way) else None
    version = _joined(project, run, way, task, roles, found, before) if before else _own(project, run, way, found)
    projects.update(project.id, task=task, success=project.success if task == project.task else {})
    starting.choose(projects.get(project.id), starting.BASE if way == "answers" else run.id)
    if not before:
        earlier = PreparationPlan.model_validate(preparation.get_plan(run.plan_id).config)
        # Thumbs need both kinds in each part.
        split = SplitPlan(strategy="stratified" if way == "thumbs" else "random", seed=earlier.split.seed)
        preparation.save(projects.get(project.id), earlier.model_copy(update={"split": split}))
    recipes.keep_draft(projects.get(project.id), recipes.for_project(projects.get(project.id), "balanced"))
    health.submit(project.id, version.id)
    return version


def _holds(run: Run, way: Way) -> bool:
    """Whether the run was trained on preferences of this kind."""
    roles = datasets.get_version(run.dataset_version_id).roles
    return tasks()[run.task].preference and set(ROLES[way]) <= set(roles)


def _newest(project: Project, run: Run) -> tuple[DatasetVersion, Plan]:
    """The data of a run with its split; the current version instead where it only went on from it."""
    version, plan = datasets.get_version(run.dataset_version_id), preparation.get_plan(run.plan_id)
    current = datasets.current(project)
    if current is not None and current.lineage == version.lineage and current.id != version.id:
        later = records.find(Plan, project_id=project.id, dataset_version_id=current.id, limit=1)
        if later:
            return current, later[0]
    return version, plan


def _origin(run: Run, way: Way, task: str, found: Lesson, **counts: int) -> dict[str, Any]:
    return {
        "kind": "votes",
        "task": task,
        "run": run.id,
        "way": way,
        "counts": {key: n for key, n in counts.items() if n},
        "sources": found.sources(way),
        "left_out": dict(found.left_out),
    }


def _own(project: Project, run: Run, way: Way, found: Lesson) -> DatasetVersion:
    """Preferences as a dataset of their own."""
    rows = [{datasets.ROW_ID: f"vote-{n}", **cells} for n, cells in enumerate(_cells(found, way, ROLES[way]))]
    return datasets.add_version(
        project.id,
        pd.DataFrame(rows),
        roles=ROLES[way],
        title=f"Votes on the samples of round {run.number}",
        origin=_origin(run, way, TASK, found, added=len(rows)),
    )


def _joined(
    project: Project,
    run: Run,
    way: Way,
    task: str,
    roles: dict[str, str],
    found: Lesson,
    before: tuple[DatasetVersion, Plan],
) -> DatasetVersion:
    """A version with the new rows in training, with the same rows in test, and without the validation rows that ask the same."""
    parent, plan = before
    frame = datasets.frame(parent)
    parts = preparation.parts(plan, task)
    asked = {normalise(said) for said in found.asked}
    repeated = [e.row_id for e in parts["validation"] if normalise(preparation.compared_text(e)) in asked]
    if len(repeated) > len(parts["validation"]) // 2:
        raise UserError(
            "Too much of the validation part was judged.",
            f"{len(repeated)} of {len(parts['validation'])} validation rows ask what you judged. The model must not be "
            "measured on what it was just taught, and too few rows would be left.",
            "Judge other prompts: your own, made from templates, or texts from real use.",
        )
    # Judged again since: an answer is named by what it says, and one that was taken back or bettered goes.
    mark = f"vote-{run.id}-"
    rows = [{datasets.ROW_ID: mark + _name(cells), **cells} for cells in _cells(found, way, roles)]
    taught = {row_id for row_id in frame[datasets.ROW_ID] if row_id.startswith(mark)}
    gone = [*repeated, *sorted(taught - {row[datasets.ROW_ID] for row in rows})]
    rows = [row for row in rows if row[datasets.ROW_ID] not in taught]
    kept = frame[~frame[datasets.ROW_ID].isin(gone)]
    version = datasets.add_version(
        project.id,
        pd.concat([kept, pd.DataFrame(rows, columns=frame.columns)], ignore_index=True),
        roles=roles,
        title=f"{parent.title} with votes on round {run.number}",
        origin=_origin(run, way, task, found, added=len(rows), dropped=len(gone)),
        parent=parent,
    )
    preparation.extend(plan, version, [str(row[datasets.ROW_ID]) for row in rows], without=gone)
    return version


def _name(cells: Mapping[str, str]) -> str:
    return hashlib.blake2b(json.dumps(cells, sort_keys=True).encode(), digest_size=6).hexdigest()


def _cells(found: Lesson, way: Way, roles: dict[str, str]) -> Sequence[dict[str, str]]:
    """The examples in the columns of the dataset that they become or join."""
    if way == "pairs":
        made: list[dict[str, str]] = [
            {"prompt": p.prompt, "chosen": p.chosen, "rejected": p.rejected, "source": p.source} for p in found.pairs
        ]
    elif way == "thumbs":
        made = [
            {"prompt": t.prompt, "response": t.response, "rating": "up" if t.liked else "down", "source": t.source}
            for t in found.thumbs
        ]
    elif roles.get("messages"):
        made = [{"messages": _conversation(a.prompt, a.response)} for a in found.answers]
    else:
        made = [{"prompt": a.prompt, "response": a.response} for a in found.answers]
    return [{roles.get(name, name): text for name, text in cells.items()} for cells in made]


def _conversation(prompt: str, answer: str) -> str:
    turns: list[dict[str, str]] = []
    if prompt.startswith("["):
        turns = [turn for turn in json.loads(prompt) if isinstance(turn, dict)]
    turns = turns or [{"role": "user", "content": prompt}]
    return json.dumps([*turns, {"role": "assistant", "content": answer}], ensure_ascii=False)
