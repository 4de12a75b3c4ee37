"""What the coach says of a run, and the next round's recipe when its advice is taken."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean
from typing import Any

from core.data import baselines, coach
from core.data.coach import Advice, Curves, Points
from core.data.make_fit import smaller_batch
from core.schemas.examples import Example
from core.schemas.families import FAMILIES
from core.schemas.recipe import Recipe
from core.store.tables import Run
from core.tasks import registry as tasks

from . import preparation, runs

MOST_READ = 10_000  # rows of a part in which the most telling word is looked for


def advice(run: Run, total_steps: int) -> list[Advice]:
    """All rules that fire on the run's curves now."""

    def points(name: str, split: str) -> Points:
        return [(p.step, p.value) for p in runs.points(run.id, [(name, split)])]

    recipe = Recipe.model_validate(run.recipe)
    return coach.read(curves_of(points, _facts(run.plan_id, run.task), recipe, total_steps))


@dataclass(frozen=True)
class Facts:
    """What the rules know of the data. The fields are those of `Curves`."""

    family: str
    guessing: float | None = None
    majority: float | None = None
    held_out: int = 0
    one_word: tuple[str, float] | None = None


def curves_of(points: Callable[[str, str], Points], facts: Facts, recipe: Recipe, total_steps: int) -> Curves:
    """What the rules read. `points` gives the curve of a name and a split."""
    figures = FAMILIES[facts.family].figures
    f1 = next((name for name in ("micro_f1", "macro_f1") if name in figures), "")
    held = points("loss", "validation")
    right = points(figures[0], "validation") if f1 else ()
    if facts.family == "regression":  # the loss is in units of the training rows' variance
        right = [(step, None if value is None else 1 - value) for step, value in held]
    return Curves(
        validation=held,
        train=points("loss", "train"),
        batch=points("loss", "batch"),
        grad_norm=points("grad_norm", "batch"),
        right=right,
        right_name=figures[0] if facts.held_out else "",
        f1=points(f1, "validation") if f1 else (),
        f1_name=f1,
        best_by=recipe.best_metric,
        total_steps=total_steps,
        warmup_steps=round(recipe.warmup * total_steps),
        steps_per_epoch=round(total_steps / recipe.epochs),
        guessing=facts.guessing,
        majority=facts.majority,
        held_out=facts.held_out,
        one_word=facts.one_word,
    )


def facts_of(family: str, train: Sequence[Example], validation: Sequence[Example]) -> Facts:
    """What there is to know of the rows that a run learns from and is held against."""
    if not FAMILIES[family].reads:
        return Facts(family)
    if family == "regression":
        return Facts(family, guessing=1.0, held_out=len(validation))
    if family == "multi-label":
        rates = [n / len(train) for n in Counter(label for e in train for label in e.labels or ()).values()]
        return Facts(family, guessing=fmean(map(_entropy, rates)) if rates else None, held_out=len(validation))
    held = Counter(e.label for e in validation)
    classes = {e.label for part in (train, validation) for e in part}
    return Facts(
        family,
        guessing=math.log(len(classes)) if len(classes) > 1 else None,
        majority=max(held.values(), default=0) / max(1, held.total()),
        held_out=held.total(),
        one_word=baselines.one_word(train[:MOST_READ], validation[:MOST_READ]),
    )


def _entropy(rate: float) -> float:
    """What it costs, in nats, to know of a label only how often it is given."""
    return -sum(share * math.log(share) for share in (rate, 1 - rate) if share > 0)


@lru_cache(maxsize=16)
def _facts(plan_id: str, task: str) -> Facts:
    """Worked out once for a plan, which never changes."""
    family = tasks()[task].family
    if not FAMILIES[family].reads:
        return Facts(family)
    parts = preparation.parts(preparation.get_plan(plan_id), task)
    return facts_of(family, parts["train"], parts["validation"])


def apply(recipe: Recipe, action: str) -> Recipe:
    """The recipe with one piece of advice taken. Raises KeyError for an unknown action."""
    known: dict[str, dict[str, Any]] = {
        "lower_learning_rate": {"learning_rate": recipe.learning_rate / 3, "warmup": max(recipe.warmup, 0.1)},
        "halve_learning_rate": {"learning_rate": recipe.learning_rate / 2},
        "raise_learning_rate": {"learning_rate": min(1.0, recipe.learning_rate * 3)},
        "fewer_epochs": {"epochs": max(1.0, round(recipe.epochs / 2))},
        "best_by_macro_f1": {"best_metric": "macro_f1"},
        "best_by_micro_f1": {"best_metric": "micro_f1"},
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


LOOKS = {
    "dataset": "Look for leaks in the health report",
    "tokens": "Look at what is trained on",
}  # by key of the screen
TITLES = {
    "lower_learning_rate": "Use a third of the learning rate",
    "halve_learning_rate": "Use half the learning rate",
    "best_by_macro_f1": "Choose the best checkpoint by macro-F1",
    "best_by_micro_f1": "Choose the best checkpoint by micro-F1",
    "regularise": "Use a stronger weight decay and a smaller adapter",
    "raise_learning_rate": "Use three times the learning rate",
    "fewer_epochs": "Use half the epochs",
    "more_epochs": "Use half as many epochs again",
    "smaller_batch": "Use half the batch size",
    "use_lora": "Use LoRA",
    "precision_auto": "Set the precision to automatic",
}
