"""The dry run: ask for a few real steps on the longest rows, and find what they measured again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

from core.data import cost
from core.schemas.jobs import Job, JobKind
from core.schemas.recipe import Recipe
from core.schemas.training import DryRun, TrainingSpec
from core.store import jobs
from core.store.tables import Project

from . import preparation, projects, recipes, runs

SETTING = "dry_run"
STARTUP = 15.0  # seconds: loading the engine and the model
TRAIN_SAMPLE = 200  # rows of the training part that every evaluation looks at too
# What is decided beside the steps and touches none of them.
AFTERWARDS = ("keep_checkpoints", "checkpoint_budget", "label_thresholds")
# What changes neither the memory nor the speed of a step.
_NO_MATTER = {
    "learning_rate", "epochs", "weight_decay", "scheduler", "warmup", "max_grad_norm", "seed", "evaluations_per_epoch",
    "early_stopping", "best_metric", "lora_dropout", "lora_alpha", "label_smoothing", "neftune_alpha", "accumulation",
    "balance", *AFTERWARDS,
}  # fmt: skip


def same_test(project: Project, recipe: Recipe, leaving_out: set[str]) -> str:
    """One key for all recipes that differ only in settings which do not matter to a test, on this data and this model."""
    plan = preparation.current(project)
    what = [project.base_model_key, plan.id if plan else None, recipe.model_dump(exclude=leaving_out)]
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]


def key_of(project: Project, recipe: Recipe) -> str:
    """The same for all recipes whose steps cost the same on this data and model."""
    return same_test(project, recipe, _NO_MATTER)


def submit(project: Project, recipe: Recipe) -> str:
    """Queue the measurement. Raises UserError where the recipe cannot run here."""
    recipes.check(recipe, project.task or "")
    return jobs.submit(JobKind.MEASURE, project.id, {"recipe": recipe.model_dump(mode="json")})


def running(project_id: str) -> list[Job]:
    return [j for j in jobs.find(project_id=project_id, kinds=[JobKind.MEASURE]) if not j.state.final]


def last_failure(project_id: str, recipe: Recipe) -> Job | None:
    """The newest measurement, if it failed for this very recipe."""
    made = jobs.find(project_id=project_id, kinds=[JobKind.MEASURE])
    wanted = recipe.model_dump(mode="json")
    return made[0] if made and made[0].error and made[0].payload["recipe"] == wanted else None


def spec_of(project_id: str, recipe: Recipe) -> tuple[TrainingSpec, str]:
    """What the worker measures, and its key."""
    project = projects.get(project_id)
    row = preparation.current(project)
    plan = preparation.get_plan(row.id if row else "")
    given = runs.inputs_of(plan, project.task or "", project.base_model_key)
    return runs.spec_of(given, "dry-run", recipe), key_of(project, recipe)


def store(project_id: str, key: str, measured: DryRun) -> None:
    projects.settings(project_id, **{SETTING: {"key": key, **measured.model_dump()}})


def of(project: Project, recipe: Recipe) -> DryRun | None:
    """What was measured for such a recipe, if anything."""
    kept: dict[str, Any] = dict(project.settings.get(SETTING) or {})
    if not kept or kept.pop("key") != key_of(project, recipe):
        return None
    return DryRun.model_validate(kept)


def estimate(project: Project, recipe: Recipe) -> recipes.Cost:
    """`recipes.estimate`, corrected by the dry run where one was made for such a recipe."""
    guess, measured = recipes.estimate(project, recipe), of(project, recipe)
    plan = preparation.current(project)
    if measured is None or plan is None:
        return guess
    available = guess.fit.available
    share = measured.peak_memory / max(1, available)
    verdict: Any = "fits" if share < cost.TIGHT else "tight" if share < 1 else "does not fit"
    fit = guess.fit.model_copy(update={"needed": measured.peak_memory, "verdict": verdict, "parts": {}})
    train = max(1, plan.counts["train"])
    one_epoch = guess.tokens / recipe.epochs
    looked_at = one_epoch * (plan.counts["validation"] + min(TRAIN_SAMPLE, train)) / train
    evaluations = recipe.evaluations_per_epoch * recipe.epochs + 2
    seconds = STARTUP + guess.tokens / measured.tokens_per_second
    seconds += evaluations * looked_at / measured.evaluated_tokens_per_second
    return replace(guess, fit=fit, seconds=seconds, measured=True)
