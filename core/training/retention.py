"""Which checkpoints stay on the disk: the best, the newest and pinned ones always, others as far as the settings allow."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from core.data.kept import GB, Saved, for_space, on_disk, too_many
from core.schemas.errors import DiskFull
from core.schemas.recipe import Recipe
from core.schemas.recorder import Recorder

from .best import best_evaluation

SPARE = 64 * 2**20  # bytes that must be free beside a new checkpoint: for the database and the log


class Retention(TrainerCallback):
    """After a checkpoint is written, removes what is too much; before, makes room where the disk is nearly full."""

    def __init__(
        self,
        recipe: Recipe,
        recorder: Recorder,
        folder: Path,
        free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self.recipe, self.recorder, self.folder, self._free = recipe, recorder, folder, free

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        budget = round(self.recipe.checkpoint_budget * GB)
        found = on_disk(self.folder)
        gone = too_many(found, self._always(state), self.recipe.keep_checkpoints, budget)
        self._remove("removed", gone, found, state.global_step, "They were more than the settings of this run keep.")

    def make_room(self, state: TrainerState, needed: int) -> None:
        """Called before a checkpoint of about `needed` bytes is written. Raises DiskFull where it cannot fit: nothing is
        written then, the run waits, and goes on from its newest checkpoint when there is space."""
        found = on_disk(self.folder)
        needed = max(needed, found[-1].bytes if found else 0)
        missing = needed + SPARE - self._free(self.folder)
        if missing <= 0:
            return
        gone = for_space(found, self._always(state), missing)
        self._remove("room", gone, found, state.global_step, "The disk is nearly full: they made room for the next.")
        if needed + SPARE > self._free(self.folder):
            raise DiskFull

    def _always(self, state: TrainerState) -> set[int]:
        best = best_evaluation(state.log_history, self.recipe.best_metric, self.recipe.higher_is_better)
        return {*self.recorder.pinned(), *([best.step] if best else [])}

    def _remove(self, kind: str, steps: Sequence[int], found: Sequence[Saved], now: int, why: str) -> None:
        if not steps:
            return
        for step in steps:
            self.recorder.forget_checkpoint(step)
            shutil.rmtree(self.folder / f"checkpoint-{step}", ignore_errors=True)
        size = sum(s.bytes for s in found if s.step in steps)
        named = ", ".join(map(str, steps))
        title = f"Checkpoints removed: step {named} ({size / 1e6:,.0f} MB)"
        self.recorder.event(kind, now, title, why, data={"steps": list(steps), "bytes": size})
