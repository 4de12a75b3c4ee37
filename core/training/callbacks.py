"""What happens beside the steps: report progress, obey wishes, stop early, show samples."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_callback import ExportableState

from core.schemas.curves import PHASES
from core.schemas.errors import UserError
from core.schemas.jobs import Desired
from core.schemas.recipe import Recipe
from core.schemas.recorder import Recorder

from .best import best_evaluation
from .hardware import Limit
from .phases import Phases

_FIGURES = "loss|accuracy|macro_f1|micro_f1|mae|preference_accuracy|reward_margin"
_EVALUATION = re.compile(rf"eval_(validation|train_sample)_({_FIGURES})")
LOOK_SECONDS = 1.0  # at least, between two looks at memory, use and phases: they change slowly
ENDINGS = {
    "paused": "Paused on request",
    "shutdown": "Interrupted: the worker ended",
    "stopped": "Stopped on request, the best checkpoint is kept",
}
SPLIT_OF = {"validation": "validation", "train_sample": "train"}


def unstable(step: int) -> UserError:
    return UserError(
        f"The training became unstable at step {step}.",
        "The loss is no longer a number: a step was so large that the weights ran away.",
        "Use a learning rate three times lower, or more warm-up, and start again. The best checkpoint so far is kept.",
        "lower_learning_rate",
    )


def unusable_base() -> UserError:
    return UserError(
        "The base model gives no usable numbers.",
        "Its loss on your validation rows is not a number before any training: its weights are damaged, or do not bear "
        "this precision.",
        "Set the precision to float32, or choose another base model.",
    )


class Progress(TrainerCallback, ExportableState):
    """Curves and progress. Batch figures go to the split `batch`, evaluations to `validation` and `train`.

    Tokens and seconds are saved with each checkpoint, so that they count the whole run and not its last part. So is the
    number of threads: a sum that is split over another number of them is rounded in another way.
    """

    def __init__(
        self,
        recorder: Recorder,
        tokens_seen: Callable[[], float],
        phases: Phases,
        limit: Limit,
        usage: Callable[[], Mapping[str, float]],
    ) -> None:
        self.recorder, self._tokens_seen = recorder, tokens_seen
        self.phases, self._limit, self._usage = phases, limit, usage
        self._began = time.monotonic()
        self._looked = 0.0  # when memory, use and phases were read last
        self._before: dict[str, Any] = {"tokens": 0.0, "seconds": 0.0}  # in earlier parts of the same run
        self._last = (0, 0.0, 0.0)  # step, time, tokens
        self.nan_step: int | None = None

    @property
    def tokens(self) -> float:
        """As at the last point of the curves: asking takes all devices, and only one of them saves or ends the run."""
        return float(self._before["tokens"]) + self._last[2]

    @property
    def seconds(self) -> float:
        return float(self._before["seconds"]) + time.monotonic() - self._began

    @property
    def phase_seconds(self) -> dict[str, float]:
        """Seconds of each phase since the run began, whatever interrupted it."""
        before = self._before.get("phases", {})
        now = self.phases.seconds()
        return {name: before.get(name, 0.0) + now.get(name, 0.0) for name in PHASES if name in now or name in before}

    def state(self) -> dict[str, Any]:
        counted = {
            "tokens": self.tokens,
            "seconds": self.seconds,
            "threads": torch.get_num_threads(),
            "phases": self.phase_seconds,
        }
        return {"args": {}, "attributes": counted}

    def restore(self, state: TrainerState) -> None:
        """Go on counting from a checkpoint's state, and computing with as many threads as there were then."""
        saved = (state.stateful_callbacks or {}).get(type(self).__name__)
        if saved:
            self._before = dict(saved["attributes"])
            torch.set_num_threads(int(self._before.get("threads", torch.get_num_threads())))

    def _mark(self, state: TrainerState) -> None:
        """What follows is not measured from before this moment: evaluating and saving are no part of a step's time."""
        self._last = (state.global_step, time.monotonic(), float(self._tokens_seen()))
        if state.max_steps:  # else the base model is being measured
            self.recorder.phase("Training", state.global_step, state.max_steps)

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._mark(state)

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._mark(state)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._mark(state)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.recorder.phase("Training", state.global_step, state.max_steps)
        self.phases.tick()

    def on_pre_optimizer_step(self, *_: Any, **__: Any) -> None:
        self.phases.span("optimiser").__enter__()

    def on_optimizer_step(self, *_: Any, **__: Any) -> None:
        self.phases.span("optimiser").__exit__()

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: dict[str, Any], **_: Any
    ) -> None:
        with self.phases.span("recording"):
            self._record(state, control, logs)

    def _record(self, state: TrainerState, control: TrainerControl, logs: dict[str, Any]) -> None:
        split = next((m[1] for key in logs if (m := _EVALUATION.fullmatch(key))), None)
        if split is not None:
            values = {m[2]: float(v) for k, v in logs.items() if (m := _EVALUATION.fullmatch(k))}
            if "eval_mean_token_accuracy" in logs:
                values["token_accuracy"] = float(logs["eval_mean_token_accuracy"])
            self.recorder.metrics(SPLIT_OF[split], state.global_step, state.epoch or 0.0, values)
        elif "loss" in logs:
            values = self._of_batch(state.global_step, state.epoch or 0.0, logs)
            self.recorder.metrics("batch", state.global_step, state.epoch or 0.0, values)
        else:
            return
        if not math.isfinite(values["loss"]):
            self.nan_step = state.global_step
            control.should_training_stop = True
            control.should_evaluate = control.should_save = False  # such weights are worth neither

    def _of_batch(self, step: int, epoch: float, logs: dict[str, Any]) -> dict[str, float]:
        values: dict[str, float] = {
            name: float(logs[name]) for name in ("loss", "grad_norm", "learning_rate") if name in logs
        }
        if "mean_token_accuracy" in logs:
            values["token_accuracy"] = float(logs["mean_token_accuracy"])
        last_step, last_time, last_tokens = self._last
        now, tokens = time.monotonic(), float(self._tokens_seen())
        if step > last_step and now > last_time:
            values["seconds_per_step"] = (now - last_time) / (step - last_step)
            values["tokens_per_second"] = (tokens - last_tokens) / (now - last_time)
            values["share_of_limit"] = self._limit.share(values["tokens_per_second"])
        values["tokens"], values["seconds"] = self._before["tokens"] + tokens, self.seconds
        if now - self._looked >= LOOK_SECONDS or last_step == 0:
            self._looked = now
            values |= self._usage()
            self.recorder.metrics("phases", step, epoch, self.phase_seconds)
        self._last = (step, now, tokens)
        return values


class Obey(TrainerCallback):
    """Pause, stop, cancel, shut down, early stopping; and an evaluation with a checkpoint at the very last step."""

    def __init__(self, recorder: Recorder, recipe: Recipe) -> None:
        self.recorder, self.recipe = recorder, recipe
        self.ended = "done"  # done | early | stopped | paused | cancelled | shutdown

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        wish = self.recorder.wish()
        if wish is Desired.RUN and state.global_step < state.max_steps and not self.recorder.shutting_down():
            control.should_log = control.should_log or control.should_save  # see below
            return
        if wish is Desired.CANCEL:
            self.ended = "cancelled"
            control.should_evaluate = control.should_save = False
        elif state.global_step >= state.max_steps:  # nothing is left that could wait
            control.should_evaluate = control.should_save = True
        elif wish is Desired.STOP:
            self.ended = "stopped"
            control.should_evaluate = control.should_save = True
        elif self.recorder.shutting_down() or wish is Desired.PAUSE:
            self.ended = "paused" if wish is Desired.PAUSE else "shutdown"
            control.should_save = True
        if self.ended != "done":
            control.should_training_stop = True
            if self.ended in ENDINGS:
                self.recorder.event(self.ended, state.global_step, ENDINGS[self.ended])
        # The mean since the last point is not in a checkpoint: write it now, or a resumed run would draw another curve.
        control.should_log = control.should_log or control.should_save

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if state.global_step and not control.should_training_stop and stops_early(state, self.recipe):
            self.ended = "early"
            control.should_training_stop = control.should_save = True
            text = f"{self.recipe.early_stopping} evaluations in a row brought no improvement."
            self.recorder.event("early", state.global_step, "Stopped early", text)


def stops_early(state: TrainerState, recipe: Recipe) -> bool:
    """Whether so many evaluations in a row brought no improvement that the recipe ends the training."""
    best = best_evaluation(state.log_history, recipe.best_metric, recipe.higher_is_better)
    return bool(recipe.early_stopping and best and best.since >= recipe.early_stopping)


class Samples(TrainerCallback):
    """A few validation prompts answered at every evaluation, so that a person sees the model change."""

    def __init__(self, recorder: Recorder, answer: Callable[[], list[dict[str, str]]]) -> None:
        self.recorder, self.answer = recorder, answer
        self._done_at = -1

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if state.global_step == self._done_at:  # called once for every evaluation set
            return
        self._done_at = state.global_step
        items = self.answer()
        self.recorder.event("sample", state.global_step, f"Samples at step {state.global_step}", data={"items": items})
