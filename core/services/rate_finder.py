"""The learning-rate finder: ask for a test, and find what it showed for such a recipe."""

from __future__ import annotations

from dataclasses import dataclass

from core.data import rate_curve
from core.schemas.jobs import Job, JobKind, JobState
from core.schemas.rate_search import RateAdvice, RateCurve
from core.schemas.recipe import Recipe
from core.schemas.training import TrainingSpec
from core.store import jobs
from core.store.tables import Project

from . import dry_run, recipes

# What the test replaces or does not reach: the answer is the same for all of its values.
_NO_MATTER = {
    "learning_rate", "epochs", "scheduler", "warmup", "evaluations_per_epoch", "early_stopping", "best_metric", "seed",
    "activation_checkpointing", *dry_run.AFTERWARDS,
}  # fmt: skip


@dataclass(frozen=True)
class Found:
    """`fits`: the test was made with the model, data and settings that are chosen now. `words` is the finding in a sentence."""

    curve: RateCurve
    advice: RateAdvice
    words: str
    fits: bool
    batch: int


def _key(project: Project, recipe: Recipe) -> str:
    return dry_run.same_test(project, recipe, _NO_MATTER)


def submit(project: Project, recipe: Recipe) -> str:
    """Queue the test. Raises UserError where the recipe cannot run here."""
    recipes.check(recipe, project.task or "")
    payload = {"recipe": recipe.model_dump(mode="json"), "key": _key(project, recipe)}
    return jobs.submit(JobKind.FIND_RATE, project.id, payload)


def spec_of(project_id: str, recipe: Recipe) -> TrainingSpec:
    """What the worker trains."""
    return dry_run.spec_of(project_id, recipe)[0]


def newest(project_id: str) -> Job | None:
    """The newest test of the project, whatever became of it."""
    found = jobs.find(project_id=project_id, kinds=[JobKind.FIND_RATE])
    return found[0] if found else None


def of(project: Project, recipe: Recipe) -> Found | None:
    """The newest test that ended, read anew."""
    done = jobs.find(project_id=project.id, kinds=[JobKind.FIND_RATE], states=[JobState.DONE])
    if not done or done[0].result is None:
        return None
    curve = RateCurve.model_validate(done[0].result)
    advice = rate_curve.read(curve)
    tried = Recipe.model_validate(done[0].payload["recipe"])
    return Found(
        curve=curve,
        advice=advice,
        words=rate_curve.words(advice, curve.rates),
        fits=done[0].payload["key"] == _key(project, recipe),
        batch=tried.effective_batch_size,
    )
