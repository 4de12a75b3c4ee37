"""Change a recipe until it fits the memory, the cheapest change first, and say what was changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from core.schemas.methods import Method
from core.schemas.models import Fit
from core.schemas.recipe import Recipe


@dataclass(frozen=True)
class Fitted:
    """`changes` are sentences in the order in which they were made; empty where the recipe fitted already."""

    recipe: Recipe
    fit: Fit
    changes: tuple[str, ...]

    @property
    def fits(self) -> bool:
        return self.fit.verdict != "does not fit"


def make_fit(
    recipe: Recipe, methods: Mapping[str, Method], fit_of: Callable[[Recipe], Fit], devices: int = 1
) -> Fitted:
    """Smaller batches with the same effective batch (same result), computing twice (same result, a third slower), the model in
    parts where the machine has several `devices` (same result, slower by what they send each other), an adapter instead of all
    weights, at last a base model of 4 bits. `methods` are those that this machine can run.

    What did not help to the end stays changed: where nothing fits, the result is the leanest recipe and `fits` is False.
    """
    changes: list[str] = []
    fit = fit_of(recipe)
    while fit.verdict == "does not fit" and recipe.batch_size > 1:
        recipe = smaller_batch(recipe)
        said = (
            f"Batch size {recipe.batch_size} with gradient accumulation {recipe.accumulation}: the result is the same."
        )
        changes = [*(c for c in changes if not c.startswith("Batch size")), said]
        fit = fit_of(recipe)
    for update, said in _leaner(recipe, methods, devices):
        if fit.verdict != "does not fit":
            break
        recipe = recipe.model_copy(update=update)
        changes.append(said)
        fit = fit_of(recipe)
    return Fitted(recipe, fit, tuple(changes))


def smaller_batch(recipe: Recipe) -> Recipe:
    """Half the batch size (or the next smaller divisor) with as much more accumulation: the effective batch stays."""
    size = recipe.batch_size
    smaller = next((n for n in range(size // 2, 0, -1) if size % n == 0), 1)
    return recipe.model_copy(update={"batch_size": smaller, "accumulation": recipe.accumulation * (size // smaller)})


def _in_parts(recipe: Recipe, devices: int) -> tuple[dict[str, object], str]:
    """The model spread over all devices, with the rows of a step shared out so that they stay as near as can be."""
    count = max(devices, recipe.devices)
    rows = recipe.effective_batch_size
    batch = recipe.batch_size if recipe.batch_size * count <= rows else max(1, rows // count)
    accumulation = max(1, round(rows / (batch * count)))
    said = f"The model in parts on {count} devices: the result is the same, slower by what they send each other."
    if batch * accumulation * count != rows:
        said += f" Each step reads {batch * accumulation * count} rows instead of {rows}."
    update = {"sharding": "full", "devices": count, "batch_size": batch, "accumulation": accumulation}
    return update, said


def _leaner(recipe: Recipe, methods: Mapping[str, Method], devices: int) -> list[tuple[dict[str, object], str]]:
    out: list[tuple[dict[str, object], str]] = []
    if not recipe.activation_checkpointing:
        out.append(
            (
                {"activation_checkpointing": True},
                "Compute twice to save memory: the result is the same, a third slower.",
            )
        )
    quantised = recipe.method in methods and methods[recipe.method].base_bits is not None
    if max(devices, recipe.devices) > 1 and recipe.sharding == "none" and not quantised:
        out.append(_in_parts(recipe, devices))
    if recipe.method in methods and not methods[recipe.method].adapter and "lora" in methods:
        rate = max(recipe.learning_rate, 2e-4)
        out.append(
            (
                {"method": "lora", "learning_rate": rate},
                f"A LoRA adapter instead of all weights, at a rate of {rate:g}.",
            )
        )
    if recipe.method in methods and methods[recipe.method].base_bits is None and "qlora" in methods:
        said = "The base model in 4 bits a weight (QLoRA)."  # which cannot be in parts
        out.append(({"method": "qlora", "sharding": "none"}, said))
    return out
