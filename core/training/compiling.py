"""Whether compiling the layers (`regional`) pays for a training, said in plain words; and what else it takes: steady batches."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from core import methods
from core.schemas.recorder import Recorder
from core.schemas.training import TrainingSpec

from . import regional
from .collators import PackedShape
from .hardware import Limit
from .rows import Rows

# Measured once, on one H200 (benchmarks/results/README.md, "Graphics cards"): plain steps of two models reached 15 to 42% of
# the limit; compiled ones were 1.55 times as fast; compiling took 33 s, with four compilations where there is one now.
PLAIN_SHARE = 0.3
SPARED = 1 - 1 / 1.55
SECONDS = 45.0
WORTH = 2.0  # it has to give back so many times what it takes: a guess that fails should cost little


@dataclass(frozen=True)
class Choice:
    compiled: bool
    why: str

    @property
    def title(self) -> str:
        return "The layers are compiled" if self.compiled else "The layers are not compiled"


def choice(seconds: float, hindrance: str = "") -> Choice:
    """`seconds` that the training would take with plain layers. A `hindrance` is a sentence."""
    if hindrance:
        return Choice(False, hindrance)
    saved = seconds * SPARED
    found = f"The training is expected to take {_minutes(seconds)} with plain layers; compiled, about {_minutes(saved)} less"
    if saved < WORTH * SECONDS:
        return Choice(False, f"{found}. Compiling takes up to {SECONDS:.0f} seconds, so it would hardly pay.")
    return Choice(True, f"{found}. Compiling takes up to {SECONDS:.0f} seconds, once, within the first step.")


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:,.0f} minutes"


def where_it_pays(spec: TrainingSpec, trainer: Any, rows: Rows, limit: Limit, recorder: Recorder) -> Choice:
    """Decide for a training on a card, do it, and tell. Decided by the whole training, so that one that is resumed goes on as it
    began. A failure to compile falls back to plain layers."""
    read = rows.train.tokens * spec.recipe.epochs
    seconds = read * limit.per_token / (PLAIN_SHARE * limit.ceiling)
    found = choice(seconds, hindrance(spec, trainer, rows))
    if found.compiled and (reason := regional.refusal()):
        found = Choice(False, reason)
    if found.compiled:
        recorder.phase("Compiling the layers")
        compile_layers(trainer, forgiving=True)  # nobody asked for it
    recorder.event("compiling", 0, found.title, found.why, data={"compiled": found.compiled, "seconds": seconds})
    return found


def hindrance(spec: TrainingSpec, trainer: Any, rows: Rows) -> str:
    """Why it is not done unasked, whatever it would save; empty where nothing speaks against it."""
    recipe = spec.recipe
    if "seq_lengths" not in rows.train.rows.column_names:
        return "Its batches are of changing length, and layers might be compiled again for each: that is done by wish only."
    if recipe.devices > 1 or recipe.sharding != "none":
        return "It trains on several devices, where compiled layers are not tried out yet."
    if methods.get(recipe.method).base_bits is not None:
        return "The base model is quantised, which the compiler cannot read through."
    if recipe.activation_checkpointing:
        return "It saves memory by computing twice, which is not tried out together with compiling yet."
    if getattr(trainer, "terms", ()):
        return "A corrective action looks into the layers at every step."
    return ""


def compile_layers(trainer: Any, *, forgiving: bool = False) -> None:
    """The layers of the trainer's model; its packed batches become all of one shape. Raises UserError where it cannot be done."""
    regional.compile_layers(trainer.model, forgiving=forgiving)
    rows = trainer.train_dataset
    if "seq_lengths" in rows.column_names:
        shape = PackedShape.of(rows["seq_lengths"], trainer.args.per_device_train_batch_size)
        trainer.data_collator = replace(trainer.data_collator, shape=shape)
