"""What one round did differently from another, in plain words: settings, data, preparation, base model, start, seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from core import methods
from core.data.health_rows import role_of
from core.data.in_words import differences
from core.schemas.plan import PreparationPlan, SplitPlan
from core.schemas.recipe import Recipe
from core.store import records
from core.store.tables import BaseModel, DatasetVersion, Plan, Run
from core.tasks import registry as tasks

from . import models, terms


class Change(NamedTuple):
    """`kind` is setting, data, preparation, model, start, task or seed; `name` is the setting's, if it is one."""

    kind: str
    text: str
    name: str = ""


class Basis(NamedTuple):
    """All that decides what a round becomes. A round has one, and so has the next one before it starts."""

    task: str
    recipe: Mapping[str, Any]
    version_id: str
    plan_id: str
    base_model_key: str
    start_run_id: str | None
    terms: Sequence[Mapping[str, Any]] = ()


def basis(run: Run) -> Basis:
    return Basis(
        run.task,
        run.recipe,
        run.dataset_version_id,
        run.plan_id,
        run.base_model_key,
        run.start_run_id,
        tuple(run.terms or ()),
    )


def changes(before: Basis, after: Basis) -> list[Change]:
    """What is different in the second, the most important first; empty where nothing is."""
    found: list[Change] = []
    if before.task != after.task:
        found.append(Change("task", f"{_task(after.task)} instead of {_task(before.task)}"))
    if before.base_model_key != after.base_model_key:
        found.append(
            Change("model", f"base model {_model(after.base_model_key)} instead of {_model(before.base_model_key)}")
        )
    if before.start_run_id != after.start_run_id:
        found.append(Change("start", _start(after.start_run_id)))
    found += _data(before, after)
    found += _actions(before.terms, after.terms)
    found += _settings(before.recipe, after.recipe)
    return found


def _actions(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> list[Change]:
    """Corrective actions that only one of the two was trained with, or both in another way."""
    found = [
        Change("setting", f"{word} “{title}”")
        for word, one, other in (("with", after, before), ("without", before, after))
        for title, kept in zip(terms.titles(one), one, strict=True)
        if kept["key"] not in {said["key"] for said in other}
    ]
    then = {kept["key"]: kept for kept in before}
    changed = [kept for kept in after if kept["key"] in then and kept != then[kept["key"]]]
    return [*found, *(Change("setting", f"“{title}” done in another way") for title in terms.titles(changed))]


def _settings(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    titles = {"method": {key: method.title for key, method in methods.registry().items()}}
    said = differences(Recipe, before, after, titles)
    found = [
        Change("seed" if name == "seed" else "setting", text, name)
        for name, text in said.items()
        if matters(name, before) or matters(name, after)
    ]
    return sorted(found, key=lambda change: change.kind == "seed")


def matters(name: str, recipe: Mapping[str, Any]) -> bool:
    """Whether a setting has any effect in this recipe: an adapter's rank has none where all weights learn."""
    field = Recipe.model_fields[name]
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    when = extra.get("when")
    for other, wanted in when.items() if isinstance(when, Mapping) else ():
        value = recipe.get(other, Recipe.model_fields[other].default)
        if isinstance(wanted, Mapping):
            method = methods.registry().get(str(value))
            if method is not None and any(getattr(method, trait) != said for trait, said in wanted.items()):
                return False
        elif isinstance(wanted, list | tuple) and value not in wanted:
            return False
    return True


def _data(before: Basis, after: Basis) -> list[Change]:
    found = []
    first, second = (records.get(DatasetVersion, one.version_id) for one in (before, after))
    if first is not None and second is not None and first.id != second.id:
        said = f"dataset version {second.number} instead of {first.number}"
        done = _done(first, second)
        if first.content == second.content:
            done = "the same rows"
        if second.lineage != first.lineage:
            done = f"{done}; another test set" if done else "another test set"
        found.append(Change("data", f"{said}: {done}" if done else said))
        used, before_used = ([(role_of(r), c) for r, c in version.roles.items()] for version in (second, first))
        read = [column for role, column in used if (role, column) not in before_used]
        left = [column for role, column in before_used if (role, column) not in used]
        if read or left:
            words = f"“{', '.join(read)}”" if read else "fewer columns"
            found.append(Change("data", f"learned from {words}" + (f" instead of “{', '.join(left)}”" if left else "")))
    if before.plan_id != after.plan_id:
        plans = [records.get(Plan, one.plan_id) for one in (before, after)]
        configs = [PreparationPlan.model_validate(plan.config) for plan in plans if plan is not None]
        if len(configs) == 2:
            dumps = [config.model_dump(mode="json") for config in configs]
            said_of_split = differences(SplitPlan, dumps[0]["split"], dumps[1]["split"])
            flat = [{k: v for k, v in dump.items() if k != "split"} for dump in dumps]
            said_of_plan = {k: v for k, v in differences(PreparationPlan, *flat).items() if k != "split"}
            found += [Change("preparation", text) for text in (*said_of_plan.values(), *said_of_split.values())]
    return found


def _done(first: DatasetVersion, second: DatasetVersion) -> str:
    """What the versions from the first to the second did to the rows, counted as they were made; empty where they do not
    follow one another. (Any two can be compared row by row, see `core/services/versions.py`.)"""
    for older, newer, verb in ((first, second, "{}"), (second, first, "without: {}")):
        totals: dict[str, int] = {}
        at: DatasetVersion | None = newer
        while at is not None and at.id != older.id:
            for key, n in (at.origin.get("counts") or {}).items():
                totals[key] = totals.get(key, 0) + int(n)
            at = records.get(DatasetVersion, at.parent_id) if at.parent_id else None
        if at is not None:
            words = {"dropped": "removed", "changed": "fixed", "cut": "cut into pieces", "added": "added"}
            parts = [f"{totals[k]:,} row{'s' * (totals[k] != 1)} {word}" for k, word in words.items() if totals.get(k)]
            return verb.format(", ".join(parts)) if parts else ""
    return ""


def _start(run_id: str | None) -> str:
    begun = records.get(Run, run_id) if run_id else None
    return f"goes on from the model of round {begun.number}" if begun else "starts from the base model"


def _task(key: str) -> str:
    return tasks()[key].title.lower() if key in tasks() else key


def _model(key: str) -> str:
    if key == models.STARTER_KEY:
        return models.starter().title
    row = records.get(BaseModel, key)
    return str(row.facts.get("title") or key) if row else key
