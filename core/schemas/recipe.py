"""The recipe: every setting of a training run, declared once. Forms, tooltips, checks, docs and files come from here."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from .base import Schema


# `sweep` says how a setting is searched: its scale, and a factor around the chosen value or a range (`core/data/search.py`).
def _field(default: Any, title: str, description: str, level: str = "basic", **extra: Any) -> Any:
    bounds = {k: extra.pop(k) for k in ("ge", "gt", "le", "lt", "max_length") if k in extra}
    return Field(default, title=title, description=description, json_schema_extra={"level": level, **extra}, **bounds)


LORA = {"method": {"adapter": True}}  # settings that matter for an adapter only
FULL = {"method": {"adapter": False}}
PREFERENCES = ("pairs", "thumbs")  # settings that matter where rows say which answers are better


class Recipe(Schema):
    """Frozen when a run starts. The defaults are those that people trust for LoRA on a language model."""

    learning_rate: float = _field(
        2e-4,
        "Learning rate",
        "How big a step the model takes after each batch. Too high and it forgets or diverges; too low and it hardly "
        "learns.",
        gt=0,
        le=1,
        suggestions=[1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3],
        sweep={"scale": "log", "factor": 10},
    )
    batch_size: int = _field(
        8,
        "Batch size",
        "How many examples are looked at together. More is steadier and needs more memory.",
        ge=1,
        le=1024,
        sweep={"scale": "doubling", "factor": 2},
    )
    accumulation: int = _field(
        1,
        "Gradient accumulation",
        "How many batches are added up before one step. Batch size times this (times the devices) is the effective batch size.",
        ge=1,
        le=1024,
    )
    epochs: float = _field(
        3.0,
        "Epochs",
        "How many times the model reads all training examples.",
        gt=0,
        le=1000,
        unit="passes",
        sweep={"scale": "whole", "factor": 2},
    )
    weight_decay: float = _field(
        0.01,
        "Weight decay",
        "Pulls weights gently towards zero, which works against memorising.",
        ge=0,
        le=1,
        sweep={"scale": "linear", "low": 0.0, "high": 0.1},
    )

    method: str = _field(
        "lora",
        "Method",
        "LoRA trains a small adapter beside frozen weights: light and hard to break. Full trains every weight: stronger, "
        "and needs more memory. DoRA, rsLoRA and QLoRA are kinds of LoRA.",
        "advanced",
        plugins="core.methods",
    )
    lora_rank: int = _field(
        16,
        "LoRA rank",
        "Size of the adapter. Higher can learn more.",
        "advanced",
        ge=1,
        le=512,
        when=LORA,
        sweep={"scale": "doubling", "factor": 4},
    )
    lora_alpha: int = _field(
        32, "LoRA alpha", "Strength of the adapter, usually twice the rank.", "advanced", ge=1, le=1024, when=LORA
    )
    lora_dropout: float = _field(
        0.05,
        "LoRA dropout",
        "Share of the adapter switched off at random, against memorising.",
        "advanced",
        ge=0,
        le=0.9,
        when=LORA,
    )
    lora_targets: Literal["all-linear", "attention"] = _field(
        "all-linear",
        "LoRA targets",
        "Which layers get an adapter.",
        "advanced",
        options={"all-linear": "All linear layers", "attention": "Attention only"},
        when=LORA,
    )
    frozen_layers: int = _field(
        0,
        "Frozen layers",
        "How many of the first layers (with the word table) keep their weights. Less to learn, less to forget, less memory.",
        "advanced",
        ge=0,
        le=1000,
        when=FULL,
        unit="layers",
    )
    scheduler: Literal["linear", "cosine", "constant"] = _field(
        "linear",
        "Scheduler",
        "How the learning rate falls during training.",
        "advanced",
        options={"linear": "Straight line to zero", "cosine": "Cosine curve to zero", "constant": "Stays the same"},
    )
    warmup: float = _field(
        0.05, "Warm-up", "Share of the steps in which the learning rate rises from zero.", "advanced", ge=0, le=0.5
    )
    max_grad_norm: float = _field(
        1.0,
        "Gradient clipping",
        "Limits a single step so that one odd batch cannot break the model.",
        "advanced",
        gt=0,
        le=100,
    )
    label_smoothing: float = _field(
        0.0,
        "Label smoothing",
        "Keeps the model from being too sure: this share of each right answer is spread over all categories (sorting into "
        "categories only). 0.1 is usual.",
        "advanced",
        ge=0,
        le=0.5,
    )
    neftune_alpha: float = _field(
        0.0,
        "Noise on the input (NEFTune)",
        "Adds a little noise to what the model reads while it trains, against memorising. 5 is usual, 0 is none.",
        "advanced",
        ge=0,
        le=50,
    )
    seed: int = _field(17, "Seed", "The same seed gives the same run again.", "advanced", ge=0, le=2**31 - 1)
    evaluations_per_epoch: int = _field(
        4, "Evaluations per epoch", "How often the model is tested on the validation set.", "advanced", ge=1, le=100
    )
    early_stopping: int = _field(
        3,
        "Early stopping",
        "Stops after this many evaluations without improvement. 0 never stops early.",
        "advanced",
        ge=0,
        le=100,
        unit="evaluations",
    )
    best_metric: Literal[
        "eval_loss", "accuracy", "macro_f1", "micro_f1", "mae", "token_accuracy", "preference_accuracy"
    ] = _field(
        "eval_loss",
        "Best-checkpoint metric",
        "Which validation figure decides which checkpoint is kept as the best.",
        "advanced",
        options={
            "eval_loss": "Validation loss",
            "accuracy": "Accuracy (classification)",
            "macro_f1": "Macro-F1 (classification)",
            "micro_f1": "Micro-F1 (several labels)",
            "mae": "Mean error (numbers)",
            "token_accuracy": "Token accuracy (text)",
            "preference_accuracy": "Preference accuracy (pairs of answers)",
        },
    )
    beta: float = _field(
        0.1,
        "Holding on to the starting model (beta)",
        "How strongly the model is held to the one it started from. Higher changes it less; lower follows the preferences "
        "further and forgets more. 0.1 is usual.",
        "advanced",
        gt=0,
        le=10,
        objectives=PREFERENCES,
        suggestions=[0.01, 0.05, 0.1, 0.3, 0.5],
    )
    preference_loss: Literal["sigmoid", "ipo", "apo_zero"] = _field(
        "sigmoid",
        "Kind of preference loss",
        "How a better and a worse answer pull on the model. For thumbs there is one kind (KTO), so this is not used.",
        "advanced",
        options={
            "sigmoid": "DPO: the usual one",
            "ipo": "IPO: stops pulling at a set distance, against overdoing it",
            "apo_zero": "APO: also keeps the better answer likely by itself",
        },
        objectives=PREFERENCES,
    )
    keep_checkpoints: int = _field(
        2,
        "Checkpoints to keep",
        "How many of the newest checkpoints stay on the disk. The best, the newest and those that you pin always stay.",
        "advanced",
        ge=1,
        le=1000,
    )
    checkpoint_budget: float = _field(
        0.0,
        "Disk space for checkpoints",
        "Removes older checkpoints of the run when together they take more. The best, the newest and those that you pin always "
        "stay, whatever they take. 0 is no limit.",
        "advanced",
        ge=0,
        le=100_000,
        unit="GB",
    )
    balance: Literal["none", "weights", "oversample", "undersample"] = _field(
        "none",
        "Rare categories",
        "What is done for categories with few training rows (sorting into categories only). Validation and test stay as "
        "they are.",
        "advanced",
        options={
            "none": "Nothing: every row counts once",
            "weights": "Let their rows count more in the loss",
            "oversample": "Read their rows more often",
            "undersample": "Read fewer rows of the frequent ones",
        },
    )
    label_thresholds: Literal["half", "validation"] = _field(
        "half",
        "When a label is given",
        "For texts with several labels: each label is given from a probability of one half, or from the one that served it "
        "best on the validation rows (a label with few validation rows keeps one half).",
        "advanced",
        options={"half": "From one half", "validation": "As suits each label on validation"},
    )
    activation_checkpointing: bool = _field(
        False,
        "Save memory (slower)",
        "Keeps fewer numbers between the two halves of a step and computes them again. Less memory, about a third slower, "
        "the same result.",
        "advanced",
    )
    compiling: Literal["auto", "always", "never"] = _field(
        "auto",
        "Compile the layers",
        "Translates each layer of the model for this hardware before the first step. Takes up to a minute once, and makes every "
        "step on a graphics card quicker. Automatic does it on a graphics card where the training is long enough to win back "
        "more than that, and the run says what was decided. The same result, up to rounding.",
        "advanced",
        options={"auto": "Automatic: where it pays", "always": "Always", "never": "Never"},
    )
    devices: int = _field(
        1,
        "Devices",
        "How many graphics cards of this machine train together. Each takes a batch of its own, so that a step reads as many "
        "batches as there are devices.",
        "advanced",
        ge=1,
        le=64,
    )
    sharding: Literal["none", "full"] = _field(
        "none",
        "A share of the model on each device",
        "For a model that does not fit one device: each holds a part of it, and a layer is put together only while it is "
        "computed. Much less memory a device, the same result, slower by what the devices have to send each other.",
        "advanced",
        options={"none": "No: the whole model on each", "full": "Yes: the model in parts (FSDP)"},
    )
    precision: Literal["auto", "float32", "bf16"] = _field(
        "auto",
        "Precision",
        "Number format of the weights. Automatic takes bf16 where the hardware is quick at it, else float32.",
        "advanced",
        options={"auto": "Automatic", "float32": "float32", "bf16": "bf16"},
    )

    @property
    def effective_batch_size(self) -> int:
        return self.batch_size * self.accumulation * self.devices

    @property
    def higher_is_better(self) -> bool:
        """Whether a larger `best_metric` is the better checkpoint."""
        return self.best_metric not in ("eval_loss", "mae")

    @model_validator(mode="before")
    @classmethod
    def _as_it_was_called(cls, given: Any) -> Any:
        """Recipes of earlier versions said `compile_layers`, true or false."""
        if not isinstance(given, dict) or "compile_layers" not in given:
            return given
        rest = {name: value for name, value in given.items() if name != "compile_layers"}
        return {"compiling": "always" if given["compile_layers"] else "never"} | rest

    @model_validator(mode="after")
    def _alpha_fits_rank(self) -> Recipe:
        if self.lora_alpha > 32 * self.lora_rank:
            raise ValueError("LoRA alpha is more than 32 times the rank: lower it, or training will diverge")
        return self
