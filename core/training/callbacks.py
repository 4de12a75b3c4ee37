"""What happens beside the steps: report progress, obey wishes, stop early, keep few checkpoints, show samples."""

from __future__ import annotations

import math
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from core.schemas.errors import UserError
from core.schemas.jobs import Desired
from core.schemas.recipe import Recipe
from core.schemas.recorder import Recorder

from .best import best_evaluation

_EVALUATION = re.compile(r"eval_(validation|train_sample)_(loss|accuracy|macro_f1)")
SPLIT_OF = {"validation": "validation", "train_sample": "train"}


def unstable(step: int) -> UserError:
    return UserError(
        f"The training became unstable at step {step}.",
        "The loss is no longer a number: a step was so large that the weights ran away.",
        "Use a learning rate three times lower, or more warm-up, and start again. The best checkpoint so far is kept.",
        "lower_learning_rate",
    )


class Progress(TrainerCallback):
    """Curves and progress. Batch figures go to the split `batch`, evaluations to `validation` and `train`."""

    def __init__(self, recorder: Recorder, tokens_seen: Callable[[], float]) -> None:
        self.recorder, self.tokens_seen = recorder, tokens_seen
        self._last = (0, 0.0, 0.0)  # step, time, tokens
        self.nan_step: int | None = None

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._last = (state.global_step, time.monotonic(), self.tokens_seen())
        self.recorder.phase("Training", state.global_step, state.max_steps)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.recorder.phase("Training", state.global_step, state.max_steps)

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: dict[str, Any], **_: Any
    ) -> None:
        step, epoch = state.global_step, state.epoch or 0.0
        if "train_runtime" in logs:
            return
        split = next((m[1] for key in logs if (m := _EVALUATION.fullmatch(key))), None)
        if split is not None:
            values = {m[2]: float(v) for k, v in logs.items() if (m := _EVALUATION.fullmatch(k))}
            if "eval_mean_token_accuracy" in logs:
                values["token_accuracy"] = float(logs["eval_mean_token_accuracy"])
            self.recorder.metrics(SPLIT_OF[split], step, epoch, values)
            return
        if "loss" not in logs:
            return
        names = {"loss": "loss", "grad_norm": "grad_norm", "learning_rate": "learning_rate"}
        values = {ours: float(logs[theirs]) for theirs, ours in names.items() if theirs in logs}
        if "mean_token_accuracy" in logs:
            values["token_accuracy"] = float(logs["mean_token_accuracy"])
        last_step, last_time, last_tokens = self._last
        now, tokens = time.monotonic(), float(self.tokens_seen())
        if step > last_step and now > last_time:
            values["seconds_per_step"] = (now - last_time) / (step - last_step)
            values["tokens_per_second"] = (tokens - last_tokens) / (now - last_time)
        self._last = (step, now, tokens)
        self.recorder.metrics("batch", step, epoch, values)
        if not math.isfinite(values["loss"]):
            self.nan_step = step
            control.should_training_stop = True

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        # The time of an evaluation must not count as the time of the next steps.
        self._last = (state.global_step, time.monotonic(), float(self.tokens_seen()))
        self.recorder.phase("Training", state.global_step, state.max_steps)


class Obey(TrainerCallback):
    """Pause, stop, cancel, shut down, early stopping; and an evaluation with a checkpoint at the very last step."""

    def __init__(self, recorder: Recorder, recipe: Recipe) -> None:
        self.recorder, self.recipe = recorder, recipe
        self.ended = "done"  # done | early | stopped | paused | cancelled | shutdown

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        wish = self.recorder.wish()
        if self.recorder.shutting_down():
            self.ended = "shutdown"
        elif wish is not Desired.RUN:
            self.ended = {Desired.PAUSE: "paused", Desired.STOP: "stopped", Desired.CANCEL: "cancelled"}[wish]
        if self.ended != "done":
            control.should_training_stop = True
            control.should_save = control.should_save or self.ended in ("paused", "shutdown")
            if self.ended == "stopped":
                control.should_evaluate = control.should_save = True
        elif state.global_step >= state.max_steps:
            control.should_evaluate = control.should_save = True

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        best = best_evaluation(state.log_history, self.recipe.best_metric, self.recipe.higher_is_better)
        patience = self.recipe.early_stopping
        if state.global_step and patience and best and best.since >= patience and self.ended == "done":
            self.ended = "early"
            control.should_training_stop = control.should_save = True


class Retention(TrainerCallback):
    """Keep the newest two checkpoints and the best; drop the others."""

    def __init__(self, recipe: Recipe, forget: Callable[[int], None]) -> None:
        self.recipe, self.forget = recipe, forget

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        best = best_evaluation(state.log_history, self.recipe.best_metric, self.recipe.higher_is_better)
        folders = {int(p.name.split("-")[1]): p for p in Path(args.output_dir or "").glob("checkpoint-*")}
        keep = set(sorted(folders)[-2:]) | ({best.step} if best else set())
        for step, path in folders.items():
            if step not in keep:
                self.forget(step)
                shutil.rmtree(path, ignore_errors=True)


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
