"""Recipes: presets that adapt to model, data and hardware; what a run would cost; saving and loading as YAML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import ValidationError

from core import methods
from core.data import cost, hardware
from core.data.balancing import rows_a_round
from core.data.make_fit import Fitted, make_fit
from core.schemas.errors import UserError
from core.schemas.families import FAMILIES
from core.schemas.models import Fit, ModelFacts
from core.schemas.plan import PreparationPlan
from core.schemas.recipe import Recipe
from core.store import records
from core.store.config import storage_root
from core.store.tables import Plan, Project, Run
from core.tasks import registry as tasks

from . import models, preparation, projects
from .rows import split_label_counts

PRESETS = {
    "quick": ("Quick", "A first look in a minute or two. Good for trying out."),
    "balanced": ("Balanced", "The sensible choice for most data."),
    "thorough": ("Thorough", "More passes at a gentler rate. Takes longest; stops early when nothing improves."),
}
SMALL_MODEL = 100_000_000  # parameters below which training every weight is cheap and works better than an adapter


def preset(key: str, facts: ModelFacts, family: str, train_rows: int) -> Recipe:
    """A recipe for this model and this much data.

    Small models are trained whole at a rate that grows as they shrink (about 1e-3 at 2 M parameters, 2e-5 at 7 B); larger
    ones get a LoRA adapter at 2e-4. Epochs are chosen so that small datasets see enough steps.
    """
    small = facts.parameters < SMALL_MODEL
    rate = min(1e-3, max(2e-5, 1e-3 * (3e6 / max(facts.parameters, 1)) ** 0.5)) if small else 2e-4
    rate = float(f"{rate:.1g}")
    batch = 8 if train_rows < 400 else 16
    steps = max(1, train_rows // batch)
    wanted = {"quick": 120, "balanced": 400, "thorough": 1200}[key]
    most = {"quick": 3, "balanced": 8, "thorough": 15}[key]
    epochs = float(min(most, max(1, round(wanted / steps))))
    if key == "thorough":
        rate *= 0.5
    return Recipe(
        learning_rate=rate,
        batch_size=batch,
        epochs=epochs,
        method="full" if small else "lora",
        best_metric=FAMILIES[family].best,
        evaluations_per_epoch=max(1, min(4, round(12 / epochs))),
        scheduler="cosine" if key == "thorough" else "linear",
        early_stopping={"quick": 0, "balanced": 4, "thorough": 6}[key],
        weight_decay=0.01,
    )


def for_project(project: Project, key: str) -> Recipe:
    """The preset for a project's model, task and split."""
    facts = models.get(project.base_model_key)
    plan = preparation.current(project)
    rows = plan.counts["train"] if plan else 500
    return preset(key, facts, tasks()[project.task or "completion"].family, rows)


def draft(project: Project) -> Recipe:
    """The form's stored draft, or the balanced preset."""
    stored = project.settings.get("recipe")
    if stored:
        try:
            return Recipe.model_validate(stored)
        except ValidationError:
            pass  # a draft of an older version of the form
    return for_project(project, "balanced")


def keep_draft(project: Project, recipe: Recipe) -> None:
    projects.settings(project.id, recipe=recipe.model_dump(mode="json"))


@dataclass(frozen=True)
class Cost:
    """`seconds` is rough; `steps` exact up to packing. `measured` says that an earlier run's speed was used."""

    fit: Fit
    seconds: float
    steps: int
    tokens: int
    measured: bool


@dataclass(frozen=True)
class _Basis:
    """What an estimate rests on."""

    facts: ModelFacts
    plan_row: Plan | None
    plan: PreparationPlan
    classifier: bool
    machine: hardware.Hardware

    def fit(self, recipe: Recipe) -> Fit:
        method = methods.get(recipe.method)
        return cost.fit(self.facts, recipe, method, self.plan.max_length, self.classifier, self.machine)


def _basis(project: Project) -> _Basis:
    row = preparation.current(project)
    return _Basis(
        facts=models.get(project.base_model_key),
        plan_row=row,
        plan=PreparationPlan.model_validate(row.config) if row else PreparationPlan(),
        classifier=FAMILIES[tasks()[project.task or "completion"].family].reads,
        machine=hardware.look(storage_root()),
    )


def estimate(project: Project, recipe: Recipe) -> Cost:
    """Memory and time of a run with this recipe, before it starts."""
    basis = _basis(project)
    plan_row = basis.plan_row
    tokens, rows = preparation.training_tokens(project, plan_row) if plan_row else (0, 0)
    family = tasks()[project.task or "completion"].family
    if FAMILIES[family].packs and basis.plan.packing:
        rows = max(1, -(-tokens // basis.plan.max_length))
    elif family == "classifier" and plan_row and rows:
        read = sum(rows_a_round(split_label_counts(plan_row), recipe.balance).values())
        tokens, rows = round(tokens * read / rows), read
    speed = _measured_speed(project, recipe)
    method = methods.get(recipe.method)
    return Cost(
        fit=basis.fit(recipe),
        seconds=cost.seconds(basis.facts, recipe, method, tokens, basis.classifier, basis.machine, speed),
        steps=max(1, round(rows * recipe.epochs / recipe.effective_batch_size)),
        tokens=round(tokens * recipe.epochs),
        measured=speed is not None,
    )


def fitted(project: Project, recipe: Recipe) -> Fitted:
    """The recipe changed, the cheapest change first, until it fits this machine."""
    basis = _basis(project)
    able = {key: m for key, m in methods.registry().items() if not methods.unavailable(m, basis.machine.device)}
    return make_fit(recipe, able, basis.fit)


def check(recipe: Recipe, task: str) -> None:
    """Raises UserError where the recipe cannot run on this machine or does not fit the task."""
    method = methods.get(recipe.method)
    if reason := methods.unavailable(method, hardware.look(storage_root()).device):
        raise UserError("This method cannot run here.", reason, "Choose LoRA, which needs little memory too.", "use_lora")
    family = tasks()[task].family
    if recipe.best_metric not in ("eval_loss", *FAMILIES[family].figures):
        raise UserError(
            "The best-checkpoint metric does not fit the task.",
            f"{recipe.best_metric} is not measured when the task is {task}.",
            "Choose the validation loss.",
        )
    if recipe.balance != "none" and family != "classifier":
        raise UserError(
            "Balancing does not fit the task.",
            "Only a task that sorts texts into categories has rare categories.",
            "Set Rare categories to nothing.",
        )


def _measured_speed(project: Project, recipe: Recipe) -> float | None:
    """Tokens a second of the newest finished run of the project with the same model and method."""
    for run in records.find(Run, project_id=project.id):
        same = run.base_model_key == project.base_model_key and run.recipe.get("method") == recipe.method
        if run.summary and same and run.summary["seconds"] > 0:
            return float(run.summary["train_tokens"]) / float(run.summary["seconds"])
    return None


def to_yaml(recipe: Recipe) -> str:
    return yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False)


def from_yaml(text: str) -> Recipe:
    """Raises UserError that names the line or field that is wrong."""
    try:
        data: Any = yaml.safe_load(text)
        if not isinstance(data, dict):
            raise ValueError("it is not a list of settings")
        return Recipe.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the whole"
        raise UserError(
            "This recipe cannot be used.", f"{field}: {first['msg']}.", "Mend that line, or save a new recipe."
        ) from error
    except (yaml.YAMLError, ValueError) as error:
        raise UserError("This file is no recipe.", str(error).splitlines()[0], "Choose a file saved by Tunewell.") from error
