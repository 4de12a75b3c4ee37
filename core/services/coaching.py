"""What the coach says of a run, and the next round's recipe when its advice is taken."""

from __future__ import annotations

from typing import Any

from core.data import coach
from core.data.coach import Advice
from core.schemas.recipe import Recipe
from core.store.tables import Run
from core.tasks import registry as tasks

from . import preparation, runs


def advice(run: Run, total_steps: int) -> list[Advice]:
    """All rules that fire on the run's curves now."""

    def points(name: str, split: str) -> list[tuple[int, float | None]]:
        return [(p.step, p.value) for p in runs.points(run.id, [(name, split)])]

    recipe = Recipe.model_validate(run.recipe)
    classes = 0
    if tasks()[run.task].family == "classifier":
        classes = len(preparation.labels(preparation.get_plan(run.plan_id), run.task))
    return coach.read(
        validation=points("loss", "validation"),
        train=points("loss", "train"),
        batch=points("loss", "batch"),
        grad_norm=points("grad_norm", "batch"),
        total_steps=total_steps,
        warmup_steps=round(recipe.warmup * total_steps),
        classes=classes,
    )


def apply(recipe: Recipe, action: str) -> Recipe:
    """The recipe with one piece of advice taken. Raises KeyError for an unknown action."""
    known: dict[str, dict[str, Any]] = {
        "lower_learning_rate": {"learning_rate": recipe.learning_rate / 3, "warmup": max(recipe.warmup, 0.1)},
        "raise_learning_rate": {"learning_rate": min(1.0, recipe.learning_rate * 3)},
        "fewer_epochs": {"epochs": max(1.0, round(recipe.epochs / 2))},
        "more_epochs": {"epochs": round(recipe.epochs * 1.5, 1)},
        "smaller_batch": {"batch_size": max(1, recipe.batch_size // 2), "accumulation": recipe.accumulation * 2},
        "precision_auto": {"precision": "auto"},
    }
    return recipe.model_copy(update=known[action])


TITLES = {
    "lower_learning_rate": "Use a third of the learning rate",
    "raise_learning_rate": "Use three times the learning rate",
    "fewer_epochs": "Use half the epochs",
    "more_epochs": "Use half as many epochs again",
    "smaller_batch": "Use half the batch size",
    "precision_auto": "Set the precision to automatic",
}
