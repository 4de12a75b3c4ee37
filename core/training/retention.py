"""Which checkpoints stay on the disk: the best, the newest and pinned ones always, others as far as the settings allow."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from core.schemas.errors import DiskFull
from core.schemas.recipe import Recipe
from core.schemas.recorder import Recorder

from .best import best_evaluation

GB = 10**9
SPARE = 64 * 2**20  # bytes that must be free beside a new checkpoint: for the database and the log


class Saved(NamedTuple):
    step: int
    bytes: int


def on_disk(folder: Path) -> list[Saved]:
    """The checkpoints in a run's folder, oldest first."""
    found = [
        Saved(int(place.name.split("-")[1]), sum(f.stat().st_size for f in place.iterdir() if f.is_file()))
        for place in folder.glob("checkpoint-*")
    ]
    return sorted(found)


def too_many(found: Sequence[Saved], always: Collection[int], most: int, budget: int) -> list[int]:
    """Steps whose checkpoints have to go, oldest first: all but the `most` newest, then more until `budget` bytes hold.

    The newest and those in `always` stay even where they take more than the budget. A budget of 0 is no limit.
    """
    kept = {*always, *(s.step for s in found[-1:])}
    others = [s for s in found if s.step not in kept]
    newest = {s.step for s in found[-most:]}
    gone = [s for s in others if s.step not in newest]
    left = [s for s in others if s.step in newest]
    total = sum(s.bytes for s in found) - sum(s.bytes for s in gone)
    while budget and total > budget and left:
        gone.append(left.pop(0))
        total -= gone[-1].bytes
    return sorted(s.step for s in gone)


def for_space(found: Sequence[Saved], always: Collection[int], missing: int) -> list[int]:
    """Steps whose checkpoints have to go so that `missing` bytes become free, oldest first; all that may where it is not
    enough. The newest stays: it is what a run goes on from until the next is whole."""
    gone: list[int] = []
    for saved in found[:-1]:
        if missing <= 0:
            break
        if saved.step not in always:
            gone.append(saved.step)
            missing -= saved.bytes
    return gone


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
