"""Recipes: presets that adapt to model, data and hardware; what a run would cost; saving and loading as YAML."""

from __future__ import annotations

from collections.abc import Mapping
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
from core.schemas.methods import Method
from core.schemas.models import Fit, ModelFacts
from core.schemas.plan import PreparationPlan
from core.schemas.recipe import Recipe
from core.store import records
from core.store.config import storage_root
from core.store.tables import Plan, Project, Run
from core.tasks import registry as tasks

from . import datasets, models, preparation, projects, split_counts

PRESETS = {
    "quick": ("Quick", "A first look in a minute or two. Good for trying out."),
    "balanced": ("Balanced", "The sensible choice for most data."),
    "thorough": ("Thorough", "More passes at a gentler rate. Takes longest; stops early when nothing improves."),
}
PREFERENCE_SLOWER = {"full": 20, "adapter": 40}  # times slower than learning answers
SMALL_MODEL = 100_000_000  # parameters below which training every weight is cheap and works better than an adapter


def preset(key: str, facts: ModelFacts, family: str, train_rows: int, *, preference: bool = False) -> Recipe:
    """A recipe for this model and this much data.

    Small models are trained whole at a rate that grows as they shrink (about 1e-3 at 2 M parameters, 2e-5 at 7 B); larger
    ones get a LoRA adapter at 2e-4. Epochs are chosen so that small datasets see enough steps. Preferences push a model that
    answers already, so they take a 20th (whole models) or a 40th (adapters: 5e-6) of that rate and far fewer steps.
    """
    small = facts.parameters < SMALL_MODEL
    rate = min(1e-3, max(2e-5, 1e-3 * (3e6 / max(facts.parameters, 1)) ** 0.5)) if small else 2e-4
    if preference:
        rate /= PREFERENCE_SLOWER["full" if small else "adapter"]
    rate = float(f"{rate:.1g}")
    batch = 8 if train_rows < 400 else 16
    steps = max(1, train_rows // batch)
    wanted = {"quick": 120, "balanced": 400, "thorough": 1200}[key]
    most = {"quick": 3, "balanced": 8, "thorough": 15}[key]
    if preference:
        wanted = {"quick": 60, "balanced": 120, "thorough": 240}[key]
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
    task = tasks()[project.task or "completion"]
    return preset(key, facts, task.family, rows, preference=task.preference)


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
    preference: bool
    rated: bool  # thumbs: a whole model is trained beside a frozen copy of it
    machine: hardware.Hardware

    def fit(self, recipe: Recipe) -> Fit:
        method = methods.get(recipe.method)
        if self.preference:  # a pair is two sequences; the reference's likelihoods need no gradients
            recipe = recipe.model_copy(update={"batch_size": 2 * recipe.batch_size})
        copies = 4 * self.facts.parameters if self.rated and not method.adapter else 0
        return cost.fit(self.facts, recipe, method, self.plan.max_length, self.classifier, self.machine, copies)


def _basis(project: Project) -> _Basis:
    row, task = preparation.current(project), tasks()[project.task or "completion"]
    version = datasets.current(project)
    return _Basis(
        facts=models.get(project.base_model_key),
        plan_row=row,
        plan=PreparationPlan.model_validate(row.config) if row else PreparationPlan(),
        classifier=FAMILIES[task.family].reads,
        preference=task.preference,
        rated=task.preference and version is not None and not version.roles.get("rejected"),
        machine=hardware.look(storage_root()),
    )


def estimate(project: Project, recipe: Recipe) -> Cost:
    """Memory and time of a run with this recipe, before it starts."""
    basis = _basis(project)
    plan_row = basis.plan_row
    tokens, rows = preparation.training_tokens(project, plan_row) if plan_row else (0, 0)
    family = tasks()[project.task or "completion"].family
    if FAMILIES[family].packs and not basis.preference and basis.plan.packing:
        rows = max(1, -(-tokens // basis.plan.max_length))
    elif family == "classifier" and plan_row and rows:
        read = sum(rows_a_round(split_counts.of_part(plan_row), recipe.balance).values())
        tokens, rows = round(tokens * read / rows), read
    speed = _measured_speed(project, recipe)
    machine = basis.machine.model_copy(update={"speed": basis.machine.speed * recipe.devices})
    method = methods.get(recipe.method)
    return Cost(
        fit=basis.fit(recipe),
        seconds=cost.seconds(basis.facts, recipe, method, tokens, basis.classifier, machine, speed),
        steps=max(1, round(rows * recipe.epochs / recipe.effective_batch_size)),
        tokens=round(tokens * recipe.epochs),
        measured=speed is not None,
    )


def fitted(project: Project, recipe: Recipe) -> Fitted:
    """The recipe changed, the cheapest change first, until it fits this machine."""
    basis = _basis(project)
    able = {key: m for key, m in methods.registry().items() if not methods.unavailable(m, basis.machine.device)}
    return make_fit(recipe, able, basis.fit, basis.machine.devices)


def check(recipe: Recipe, task: str, *, rated: bool = False) -> None:
    """Raises UserError where the recipe cannot run on this machine or does not fit the task. `rated`: the task's rows are
    answers with thumbs, of which none is ahead of another."""
    method = methods.get(recipe.method)
    if reason := methods.unavailable(method, hardware.look(storage_root()).device):
        raise UserError(
            "This method cannot run here.", reason, "Choose LoRA, which needs little memory too.", "use_lora"
        )
    family, preference = tasks()[task].family, tasks()[task].preference
    _check_devices(recipe, method)
    figures: tuple[str, ...] = FAMILIES[family].figures
    if preference:
        figures = () if rated else ("preference_accuracy",)
    if recipe.best_metric not in ("eval_loss", *figures):
        raise UserError(
            "The best-checkpoint metric does not fit the task.",
            f"{recipe.best_metric} is not measured when the task is {task}{' with thumbs' if rated else ''}.",
            "Choose the validation loss.",
        )
    if recipe.balance != "none" and family != "classifier":
        raise UserError(
            "Balancing does not fit the task.",
            "Only a task that sorts texts into categories has rare categories.",
            "Set Rare categories to nothing.",
        )


def _check_devices(recipe: Recipe, method: Method) -> None:
    machine = hardware.look(storage_root())
    most = machine.devices if machine.device == "cuda" else machine.cores
    if recipe.devices > most:
        raise UserError(
            "There are not so many devices.",
            f"The recipe asks for {recipe.devices}; this machine has {most}.",
            f"Set Devices to {most} or fewer.",
        )
    if recipe.devices > 1 and recipe.sharding == "full" and method.base_bits is not None:
        raise UserError(
            "A base model in 4 bits cannot be shared out.",
            "Its weights are packed in a format that cannot be cut into parts, so each device needs all of them.",
            "Choose LoRA, or let each device hold the whole model.",
        )


def unused(task: str, roles: Mapping[str, str]) -> tuple[str, ...]:
    """Settings that have no meaning for this task and these columns, for the form to leave out."""
    objective = ("pairs" if roles.get("rejected") else "thumbs") if tasks()[task].preference else "answers"
    family = tasks()[task].family
    without = [] if family == "classifier" else ["balance", "label_smoothing"]
    if family != "multi-label":
        without.append("label_thresholds")
    if hardware.look(storage_root()).devices == 1:
        without += ["devices", "sharding"]
    for name, field in Recipe.model_fields.items():
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        wanted = extra.get("objectives")
        if isinstance(wanted, list | tuple) and objective not in wanted:
            without.append(name)
    if objective == "thumbs":
        without.append("preference_loss")
    return tuple(without)


def _measured_speed(project: Project, recipe: Recipe) -> float | None:
    """Tokens a second of the newest finished run of the project with the same model and method."""
    for run in records.find(Run, project_id=project.id):
        same = (run.base_model_key, run.task) == (project.base_model_key, project.task)
        same = same and all(
            run.recipe.get(name, Recipe.model_fields[name].default) == getattr(recipe, name)
            for name in ("method", "devices", "sharding")
        )
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
        raise UserError(
            "This file is no recipe.", str(error).splitlines()[0], "Choose a file saved by Tunewell."
        ) from error
