"""Checkpoints of a run: find the newest whole one to go on from, and make the best whole one the run's model."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from transformers import TrainerState
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_utils import get_last_checkpoint

from core.atomic import is_whole, new_folder, write_json
from core.data.encoding import Codec
from core.data.thresholds import choose
from core.schemas.errors import UserError
from core.schemas.families import FAMILIES
from core.schemas.jobs import Desired
from core.schemas.recipe import Recipe
from core.schemas.recorder import Recorder
from core.schemas.training import TrainingSpec

from . import loading, predictors
from .best import TRAINED_ON, Best, best_evaluation
from .callbacks import stops_early
from .heads import head_of
from .trainers import CHECKPOINT

NOT_YET_KNOWN = 2**31  # steps: the Trainer works them out anew when it resumes
NOT_PART_OF_A_MODEL = {
    "README.md", "manifest.json", "optimizer.pt", "scheduler.pt", "trainer_state.json", "training_args.bin",
    "gradient_reversal.safetensors",
}  # fmt: skip


def newest_whole_checkpoint(folder: str | Path) -> tuple[Path, int] | None:
    """The newest checkpoint of a run that passes its manifest, and its step. Damaged ones are removed."""
    root = Path(folder) / "checkpoints"
    while root.exists() and (last := get_last_checkpoint(str(root))):
        if is_whole(Path(last)):
            return Path(last), int(Path(last).name.split("-")[1])
        shutil.rmtree(last)
    return None


def copy_checkpoints(source: Path, target: Path, recorder: Recorder) -> None:
    """Give a run the whole checkpoints of the one that it trains on from, with the steps to go left open."""
    for checkpoint in sorted((source / "checkpoints").glob("checkpoint-*")):
        if not is_whole(checkpoint):
            continue
        with new_folder(target / "checkpoints" / checkpoint.name, recorder.guard) as copy:
            for file in checkpoint.iterdir():
                if file.is_file() and file.name != "manifest.json":
                    shutil.copyfile(file, copy / file.name)
            state = TrainerState.load_from_json(str(copy / TRAINER_STATE_NAME))
            state.max_steps = NOT_YET_KNOWN
            state.log_history.append({"step": state.global_step, TRAINED_ON: True})  # else it would stop early at once
            state.save_to_json(str(copy / TRAINER_STATE_NAME))
        recorder.checkpoint(int(checkpoint.name.split("-")[1]), f"checkpoints/{checkpoint.name}", None)


def state_of(checkpoint: str | Path) -> TrainerState:
    """What the Trainer knew when it saved this checkpoint."""
    return TrainerState.load_from_json(str(Path(checkpoint) / "trainer_state.json"))


def already_ended(state: TrainerState, recipe: Recipe, wish: Desired) -> str | None:
    """How a run ended that has its last checkpoint but no model yet, because it was killed or paused between the two."""
    if state.global_step >= state.max_steps:
        return "done"
    if stops_early(state, recipe):
        return "early"
    best = best_evaluation(state.log_history, recipe.best_metric, recipe.higher_is_better)
    return "stopped" if best and wish is Desired.STOP else None


def best_whole(history: list[dict[str, Any]], recipe: Recipe, checkpoints: Path) -> Best | None:
    """The best evaluation whose checkpoint can be read. None where no evaluation gave a number.

    Raises UserError when no evaluated checkpoint is whole any more.
    """
    best = first = best_evaluation(history, recipe.best_metric, recipe.higher_is_better)
    while best and not is_whole(checkpoints / CHECKPOINT.format(step=best.step)):
        lost = best.step
        history = [row for row in history if row["step"] != lost]
        best = best_evaluation(history, recipe.best_metric, recipe.higher_is_better)
    if first and not best:
        raise UserError(
            "The best checkpoint cannot be read.",
            f"A file of the checkpoint of step {first.step} is missing or was changed, and so are the others.",
            "Start the training again; the dataset and the settings are unchanged.",
        )
    return best


def publish_model(spec: TrainingSpec, best: Best, checkpoints: Path, recorder: Recorder) -> None:
    """Copy the model files of the best checkpoint to `<folder>/model`, whole or not at all."""
    source = checkpoints / CHECKPOINT.format(step=best.step)
    head = head_of(spec.family, spec.labels, spec.train)
    with new_folder(Path(spec.folder) / "model", recorder.guard) as target:
        for file in source.iterdir():
            if file.is_file() and file.name not in NOT_PART_OF_A_MODEL and not file.name.startswith("rng_state"):
                shutil.copyfile(file, target / file.name)
        tokenizer = loading.tokenizer(spec.base_folder)
        if FAMILIES[spec.family].packs:
            # A base without a template of its own was trained with ours: whoever loads the model must know it.
            tokenizer.chat_template = Codec.from_folder(spec.base_folder, spec.family, spec.plan).chat.text
        tokenizer.save_pretrained(target)
        facts = {
            "family": spec.family,
            "labels": list(spec.labels),
            "base_folder": spec.base_folder,
            "method": spec.recipe.method,
            "step": best.step,
            "plan": spec.plan.model_dump(),
            **(head.facts() if head else {}),
        }
        write_json(target / loading.TUNED_FILE, facts)
        if spec.family == "multi-label" and spec.recipe.label_thresholds == "validation":
            recorder.phase("Choosing from when each label is given")
            said = predictors.from_folder(target, spec.plan).classify([e.text for e in spec.validation])
            facts["thresholds"] = list(choose(spec.labels, spec.validation, said))
            write_json(target / loading.TUNED_FILE, facts)
