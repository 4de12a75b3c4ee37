"""A few training steps on the longest rows: what a training will really need, before it starts."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from core.data.encoding import Codec
from core.schemas.families import FAMILIES
from core.schemas.recorder import Recorder
from core.schemas.training import DryRun, TrainingSpec

from . import device, ranks
from .faults import translated
from .train import assembled

MEASURE = "measure"  # what the other devices are told to do
STEPS = 3  # the first one also allocates, so it is not timed
FEWEST_ROWS = 8


def measure(spec: TrainingSpec, recorder: Recorder) -> DryRun:
    """Train for three steps on the longest rows and evaluate one batch of the longest; nothing is kept.

    Raises UserError where memory runs out, and what a training raises.
    """
    with translated(spec.recipe), tempfile.TemporaryDirectory() as folder:
        if spec.recipe.devices == 1 or spec.recipe.sharding == "none":
            return _measure(spec, recorder, folder)  # the devices do the same: one of them is enough
        spec = spec.model_copy(update={"folder": folder})
        with ranks.joined(spec, MEASURE):
            return _measure(spec, ranks.Together(recorder), folder)


def take_part(spec: TrainingSpec) -> None:
    """Measure as one of several devices that hold the model in parts. Raises what `measure` raises."""
    with translated(spec.recipe):
        _measure(spec, ranks.Together(None), spec.folder)


def _measure(spec: TrainingSpec, recorder: Recorder, folder: str) -> DryRun:
    recorder.phase("Finding the longest rows")
    codec = Codec.from_folder(spec.base_folder, spec.family, spec.plan)
    trainer, rows, chosen = assembled(longest_rows(spec, codec), codec, Path(folder), recorder)
    trainer.args.max_steps = STEPS
    trainer.args.eval_strategy = trainer.args.save_strategy = "no"
    clock = _Clock(recorder, lambda: int(ranks.total(float(trainer.tokens_seen))))
    trainer.add_callback(clock)
    trainer.train()
    recorder.phase("Measuring an evaluation")
    begun = time.monotonic()
    trainer.evaluate(eval_dataset="validation")
    evaluated = time.monotonic() - begun
    seconds = clock.times[-1] - clock.times[0]
    return DryRun(
        seconds_per_step=seconds / (STEPS - 1),
        tokens_per_second=(clock.tokens[-1] - clock.tokens[0]) / max(seconds, 1e-6),
        evaluated_tokens_per_second=rows.validation.tokens / max(evaluated, 1e-6),
        peak_memory=device.peak_memory(chosen),
        device=chosen.title,
    )


def longest_rows(spec: TrainingSpec, codec: Codec) -> TrainingSpec:
    """The spec with no more rows than the steps need, the longest ones; every class keeps a row."""
    recipe = spec.recipe
    wanted = max(FEWEST_ROWS, STEPS * recipe.effective_batch_size)
    packs = FAMILIES[spec.family].packs and spec.plan.packing
    if packs:
        wanted *= 4  # several share a packed sequence
    lengths = codec.lengths(spec.train)
    order = sorted(range(len(spec.train)), key=lambda i: -lengths[i])
    while packs and wanted < len(order):
        tokens = sum(min(lengths[i], spec.plan.max_length) for i in order[:wanted])
        if tokens >= STEPS * recipe.effective_batch_size * spec.plan.max_length:
            break
        wanted *= 2
    held = codec.lengths(spec.validation)
    longest = sorted(range(len(spec.validation)), key=lambda i: -held[i])[: 2 * recipe.batch_size]
    return spec.model_copy(
        update={
            "train": tuple(spec.train[i] for i in order[:wanted]),
            "validation": tuple(spec.validation[i] for i in longest),
            "recipe": recipe.model_copy(update={"balance": "none"}),
            "token_cache": None,  # these few rows are of no use to anybody else
        }
    )


class _Clock(TrainerCallback):
    """Time and tokens at the end of each step; the device has finished what it was given."""

    def __init__(self, recorder: Recorder, tokens: Any) -> None:
        self.recorder, self._tokens = recorder, tokens
        self.times: list[float] = []
        self.tokens: list[int] = []

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.times.append(time.monotonic())
        self.tokens.append(self._tokens())
        self.recorder.phase("Trying the first steps", state.global_step, STEPS)
        if self.recorder.wish() != "run":
            control.should_training_stop = True
