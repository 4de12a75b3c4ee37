"""The learning-rate finder: a short real training whose rate grows step by step, on a model that is thrown away."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

from torch.optim.lr_scheduler import LambdaLR
from transformers import PrinterCallback, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from core.data import rate_curve
from core.data.encoding import Codec
from core.schemas.errors import UserError
from core.schemas.jobs import Desired
from core.schemas.rate_search import RateCurve
from core.schemas.recorder import Recorder
from core.schemas.training import TrainingSpec

from .faults import translated
from .train import assembled

FEWEST = 10  # steps with a loss: fewer draw no curve


def find_rate(spec: TrainingSpec, recorder: Recorder, steps: int = rate_curve.STEPS) -> RateCurve:
    """Train for at most `steps` steps with the recipe's method, data and batches while the rate grows from 1e-6 to 0.1.

    Nothing is kept: the weights live in memory, the only folder is a temporary one. Warm-up and scheduler of the recipe are
    left out, for the test has its own. Raises Interrupted where it was cancelled, UserError where the loss is no number from
    the start, and what a training raises.
    """
    with translated(spec.recipe), tempfile.TemporaryDirectory() as folder:
        return _find_rate(spec, recorder, steps, folder)


def _find_rate(spec: TrainingSpec, recorder: Recorder, steps: int, folder: str) -> RateCurve:
    codec = Codec.from_folder(spec.base_folder, spec.family, spec.plan)
    trainer, _, _ = assembled(spec, codec, Path(folder), recorder)
    recorder.obey()
    rates = rate_curve.rates(steps)
    trainer.args.max_steps = steps
    trainer.args.eval_strategy = trainer.args.save_strategy = "no"
    trainer.args.logging_steps = 1
    trainer.args.learning_rate = rates[0]
    # A group of parameters may have a rate of its own as its start, so the schedule is a factor.
    trainer.create_optimizer()
    assert trainer.optimizer is not None
    trainer.lr_scheduler = LambdaLR(trainer.optimizer, lambda step: rates[min(step, steps - 1)] / rates[0])
    watch = _Watch(recorder, steps)
    trainer.add_callback(watch)
    trainer.remove_callback(PrinterCallback)  # a line of the log for every step says nothing that the curve does not
    trainer.train()
    recorder.obey()
    if len(watch.losses) < FEWEST:
        raise UserError(
            "The learning rates could not be tried.",
            "The loss was not a number after a few steps at the lowest rates, so the rate is not what is wrong.",
            "Set the precision to float32, or choose another base model.",
        )
    ended: Any = watch.ended or "complete"
    return RateCurve(rates=tuple(rates[: len(watch.losses)]), losses=tuple(watch.losses), ended=ended)


class _Watch(TrainerCallback):
    """The loss of each step; ends the test where it has shown enough, or where somebody asks for it."""

    def __init__(self, recorder: Recorder, steps: int) -> None:
        self.recorder, self.steps = recorder, steps
        self.losses: list[float] = []
        self.ended = ""
        self._stop = rate_curve.Stop()

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.recorder.phase("Trying learning rates", state.global_step, self.steps)
        if self.recorder.wish() is not Desired.RUN or self.recorder.shutting_down():
            control.should_training_stop = True

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: dict[str, Any], **_: Any
    ) -> None:
        if "loss" not in logs or self.ended:
            return
        loss = float(logs["loss"])
        self.ended = self._stop.see(loss)
        if math.isfinite(loss):
            self.losses.append(loss)
        if self.ended:
            control.should_training_stop = True
