"""The only place that turns a recipe into the argument objects of transformers and trl."""

from __future__ import annotations

import math
from typing import Any, TypeVar

from transformers import TrainingArguments
from trl import DPOConfig, KTOConfig, SFTConfig

from core.schemas.plan import PreparationPlan
from core.schemas.recipe import Recipe

from . import ranks
from .device import Device

MOST_LOGGED_POINTS = 400
SCHEDULERS = {"constant": "constant_with_warmup"}  # the library's own "constant" leaves the warm-up out without a word
Arguments = TypeVar("Arguments", bound=TrainingArguments)


def steps_per_epoch(rows: int, recipe: Recipe) -> int:
    """Optimizer steps in one pass over `rows` (packed) sequences: partial accumulation counts as a step."""
    return max(1, math.ceil(math.ceil(rows / (recipe.batch_size * ranks.size())) / recipe.accumulation))


def total_steps(rows: int, recipe: Recipe) -> int:
    return max(1, math.ceil(steps_per_epoch(rows, recipe) * recipe.epochs))


def _common(folder: str, rows: int, recipe: Recipe, device: Device) -> dict[str, Any]:
    steps = total_steps(rows, recipe)
    every = max(1, round(steps_per_epoch(rows, recipe) / recipe.evaluations_per_epoch))
    return {
        "output_dir": folder,
        "per_device_train_batch_size": recipe.batch_size,
        # Without gradients twice as many fit; a fixed number would fail where a small batch was chosen for lack of memory.
        "per_device_eval_batch_size": 2 * recipe.batch_size,
        "gradient_accumulation_steps": recipe.accumulation,
        "num_train_epochs": recipe.epochs,
        "learning_rate": recipe.learning_rate,
        "weight_decay": recipe.weight_decay,
        "max_grad_norm": recipe.max_grad_norm,
        "lr_scheduler_type": SCHEDULERS.get(recipe.scheduler, recipe.scheduler),
        "warmup_steps": round(recipe.warmup * steps),
        "seed": recipe.seed,
        "data_seed": recipe.seed,
        "bf16": device.autocast,
        "fp16": False,
        "use_cpu": device.name == "cpu",
        "ddp_backend": "gloo" if device.name == "cpu" and ranks.size() > 1 else None,
        "ddp_find_unused_parameters": False if ranks.size() > 1 else None,
        "eval_strategy": "steps",
        "eval_steps": every,
        "save_strategy": "steps",
        "save_steps": every,
        "save_total_limit": None,  # retention is ours: the newest and the best, verified
        "logging_steps": max(1, steps // MOST_LOGGED_POINTS),
        "logging_first_step": True,
        "logging_nan_inf_filter": False,
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_num_workers": 0,
        "dataloader_pin_memory": device.name == "cuda",
        # A batch that is sent the usual way is waited for, and with it all that the card was given before.
        "accelerator_config": {"non_blocking": device.name == "cuda"},
        "activation_checkpointing": recipe.activation_checkpointing,
        "activation_checkpointing_kwargs": {"use_reentrant": False} if recipe.activation_checkpointing else None,
        "neftune_noise_alpha": recipe.neftune_alpha or None,
        "push_to_hub": False,
    }


def _alone(args: Arguments) -> Arguments:
    """On a machine with several cards the libraries would share each batch out among all of them (DataParallel, unasked)."""
    if args.n_gpu > 1:
        args._n_gpu = 1
    return args


def reader(folder: str, rows: int, recipe: Recipe, device: Device) -> TrainingArguments:
    """Arguments for a model with a head, and for one that turns a text into another: rows bring their own labels."""
    return _alone(
        TrainingArguments(**_common(folder, rows, recipe, device), label_names=["labels"], remove_unused_columns=True)
    )


def language_model(folder: str, rows: int, recipe: Recipe, plan: PreparationPlan, device: Device) -> SFTConfig:
    """Arguments for a language model on rows that are encoded, cut and (if wanted) packed already."""
    return _alone(
        SFTConfig(
            **_common(folder, rows, recipe, device),
            max_length=None,
            packing=False,
            dataset_kwargs={"skip_prepare_dataset": True},
            loss_type="nll",
        )
    )


def pairs(folder: str, rows: int, recipe: Recipe, device: Device, *, adapter: bool) -> DPOConfig:
    """Arguments for pairs of answers that are encoded and cut already. Without an adapter to switch off, the reference's
    likelihoods are worked out once beforehand: memory for one model, and half the work of a step."""
    return _alone(
        DPOConfig(
            **_common(folder, rows, recipe, device),
            max_length=None,
            beta=recipe.beta,
            loss_type=[recipe.preference_loss],
            precompute_ref_log_probs=not adapter,
        )
    )


def thumbs(folder: str, rows: int, recipe: Recipe, device: Device, weights: tuple[float, float]) -> KTOConfig:
    """Arguments for answers with thumbs; `weights` of liked and disliked rows."""
    return _alone(
        KTOConfig(
            **_common(folder, rows, recipe, device),
            max_length=None,
            beta=recipe.beta,
            desirable_weight=weights[0],
            undesirable_weight=weights[1],
        )
    )
