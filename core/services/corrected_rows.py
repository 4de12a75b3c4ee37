"""The dataset version and the split of a corrective action that adds, drops or relabels training rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from core.schemas.examples import Example
from core.schemas.mitigations import Deed
from core.schemas.plan import PreparationPlan, SplitPlan
from core.store.tables import Plan, Run
from core.tasks import registry as tasks

from . import datasets, models, preparation, projects, recipes, runs, starting

PREFERENCE = "preference"


def plan_for(run: Run, deed: Deed, title: str) -> Plan:
    """A new version with the changed rows, and the run's split carried over to it: new rows are for training."""
    before = datasets.get_version(run.dataset_version_id)
    frame = datasets.frame(before)
    by_id = frame.set_index(datasets.ROW_ID, drop=False)
    rows = [_row(by_id.loc[deed.sources[e.row_id]], e, before.roles) for e in deed.added]
    kept = frame[~frame[datasets.ROW_ID].isin(deed.dropped)]
    if deed.relabelled:
        column = before.roles["label"]
        new = kept[datasets.ROW_ID].map(deed.relabelled)
        kept = kept.assign(**{column: new.where(new.notna(), kept[column])})
    counts = {"added": len(rows), "dropped": len(deed.dropped), "changed": len(deed.relabelled)}
    words = {"added": "added", "dropped": "left out", "changed": "relabelled"}
    version = datasets.add_version(
        run.project_id,
        pd.concat([kept, pd.DataFrame(rows)], ignore_index=True) if rows else kept,
        roles=before.roles,
        title=f"{title}: " + ", ".join(f"{n:,} rows {words[key]}" for key, n in counts.items() if n),
        origin={
            "kind": "correction",
            "of": before.id,
            "sources": deed.sources,
            "counts": {key: n for key, n in counts.items() if n},
        },
        report=before.report,
        parent=before,
    )
    added = [e.row_id for e in deed.added]
    return preparation.extend(preparation.get_plan(run.plan_id), version, added, without=deed.dropped)


def preferring(run: Run, deed: Deed, title: str) -> Run:
    """A round that learns the pairs and begins with the model of `run`, not yet kept. The project turns to preferences, as it
    does when it learns from votes."""
    frame = pd.DataFrame(
        [
            {datasets.ROW_ID: e.row_id, "prompt": _asked(e), "chosen": e.reference, "rejected": e.rejected}
            for e in deed.pairs
        ]
    )
    version = datasets.add_version(
        run.project_id,
        frame,
        roles={name: name for name in ("prompt", "chosen", "rejected")},
        title=f"{title}: {len(frame):,} pairs",
        origin={"kind": "correction", "task": PREFERENCE, "run": run.id, "counts": {"added": len(frame)}},
    )
    project = projects.update(run.project_id, task=PREFERENCE, success={}, base_model_key=run.base_model_key)
    starting.choose(project, run.id)
    earlier = PreparationPlan.model_validate(preparation.get_plan(run.plan_id).config)
    split = SplitPlan(strategy="random", seed=earlier.split.seed)
    plan = preparation.save(projects.get(project.id), earlier.model_copy(update={"split": split}))
    facts, rows = models.get(run.base_model_key), int(plan.counts["train"])
    recipe = recipes.preset("balanced", facts, tasks()[PREFERENCE].family, rows, preference=True)
    again = runs.successor(run, title, recipe=recipe.model_copy(update={"seed": run.recipe.get("seed", 17)}), plan=plan)
    again.task, again.start_run_id, again.terms = PREFERENCE, run.id, None
    assert version.id == plan.dataset_version_id
    return again


def _asked(example: Example) -> str:
    """The question; a conversation of several turns as JSON."""
    if len(example.prompt) == 1:
        return example.prompt[0].content
    return json.dumps([m.model_dump() for m in example.prompt], ensure_ascii=False)


def _row(source: Any, example: Example, roles: Mapping[str, str]) -> dict[str, Any]:
    """The new example as a row of the table, its other columns as in its source."""
    row = dict(source) | {datasets.ROW_ID: example.row_id}
    if example.messages:
        if roles.get("messages"):
            row[roles["messages"]] = _as_json(example)
        else:
            users = [m.content for m in example.messages if m.role == "user"]
            answers = {"chosen": example.reference, "rejected": example.rejected, "response": example.reference}
            row |= {roles[role]: text for role, text in answers.items() if roles.get(role)}
            if not example.rejected or (len(example.prompt) == 1 and roles.get("prompt")):
                row[roles["prompt"]] = users[-1]
            elif roles.get("prompt"):
                row[roles["prompt"]] = json.dumps([m.model_dump() for m in example.prompt], ensure_ascii=False)
            elif example.other is not None:  # both columns hold whole conversations
                row |= {roles["chosen"]: _as_json(example), roles["rejected"]: _as_json(example.other)}
            if roles.get("context"):
                row[roles["context"]] = None  # it is inside the swapped question already
    else:
        row[roles["text"]] = example.text
    return row


def _as_json(example: Example) -> str:
    return json.dumps([m.model_dump() for m in example.messages], ensure_ascii=False)
