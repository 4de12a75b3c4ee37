"""What the coach says of a run, and the next round's recipe when its advice is taken."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from core.data import baselines, coach
from core.data.coach import Advice, Curves
from core.data.make_fit import smaller_batch
from core.schemas.recipe import Recipe
from core.store.tables import Run
from core.tasks import registry as tasks

from . import preparation, runs

MOST_READ = 10_000  # rows of a part in which the most telling word is looked for


def advice(run: Run, total_steps: int) -> list[Advice]:
    """All rules that fire on the run's curves now."""

    def points(name: str, split: str) -> list[tuple[int, float | None]]:
        return [(p.step, p.value) for p in runs.points(run.id, [(name, split)])]

    recipe = Recipe.model_validate(run.recipe)
    facts = _facts(run.plan_id, run.task)
    curves = Curves(
        validation=points("loss", "validation"),
        train=points("loss", "train"),
        batch=points("loss", "batch"),
        grad_norm=points("grad_norm", "batch"),
        accuracy=points("accuracy", "validation"),
        macro_f1=points("macro_f1", "validation"),
        total_steps=total_steps,
        warmup_steps=round(recipe.warmup * total_steps),
        steps_per_epoch=round(total_steps / recipe.epochs),
        classes=facts.classes,
        majority=facts.majority,
        held_out=facts.held_out,
        one_word=facts.one_word,
    )
    return coach.read(curves)


@dataclass(frozen=True)
class _Facts:
    """What the rules know of the data."""

    classes: int = 0
    majority: float | None = None
    held_out: int = 0
    one_word: tuple[str, float] | None = None


@lru_cache(maxsize=16)
def _facts(plan_id: str, task: str) -> _Facts:
    """Worked out once for a plan, which never changes."""
    if tasks()[task].family != "classifier":
        return _Facts()
    parts = preparation.parts(preparation.get_plan(plan_id), task)
    held = Counter(e.label for e in parts["validation"])
    return _Facts(
        classes=len({e.label for part in parts.values() for e in part}),
        majority=max(held.values(), default=0) / max(1, held.total()),
        held_out=held.total(),
        one_word=baselines.one_word(parts["train"][:MOST_READ], parts["validation"][:MOST_READ]),
    )


def apply(recipe: Recipe, action: str) -> Recipe:
    """The recipe with one piece of advice taken. Raises KeyError for an unknown action."""
    known: dict[str, dict[str, Any]] = {
        "lower_learning_rate": {"learning_rate": recipe.learning_rate / 3, "warmup": max(recipe.warmup, 0.1)},
        "halve_learning_rate": {"learning_rate": recipe.learning_rate / 2},
        "raise_learning_rate": {"learning_rate": min(1.0, recipe.learning_rate * 3)},
        "fewer_epochs": {"epochs": max(1.0, round(recipe.epochs / 2))},
        "best_by_f1": {"best_metric": "macro_f1"},
        "regularise": {
            "weight_decay": max(0.05, min(1.0, recipe.weight_decay * 5)),
            "lora_rank": max(4, recipe.lora_rank // 2),
            "lora_alpha": max(8, recipe.lora_alpha // 2),
            "lora_dropout": max(0.1, recipe.lora_dropout),
        },
        "more_epochs": {"epochs": round(recipe.epochs * 1.5, 1)},
        "smaller_batch": smaller_batch(recipe).model_dump(include={"batch_size", "accumulation"}),
        "precision_auto": {"precision": "auto"},
        "use_lora": {"method": "lora"},
    }
    return recipe.model_copy(update=known[action])


TITLES = {
    "lower_learning_rate": "Use a third of the learning rate",
    "halve_learning_rate": "Use half the learning rate",
    "best_by_f1": "Choose the best checkpoint by macro-F1",
    "regularise": "Use a stronger weight decay and a smaller adapter",
    "raise_learning_rate": "Use three times the learning rate",
    "fewer_epochs": "Use half the epochs",
    "more_epochs": "Use half as many epochs again",
    "smaller_batch": "Use half the batch size",
    "use_lora": "Use LoRA",
    "precision_auto": "Set the precision to automatic",
}
