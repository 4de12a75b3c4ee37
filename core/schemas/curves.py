"""The curves of a run: title and unit of each name that a training records. One declaration for charts and files."""

from __future__ import annotations

from typing import Literal, NamedTuple

Axis = Literal["step", "epoch", "tokens", "time"]


class Curve(NamedTuple):
    """`title` is a term of the glossary; `unit` is that of the stored value."""

    title: str
    unit: str


CURVES = {
    "loss": Curve("Loss", "nats per token or row"),
    "accuracy": Curve("Accuracy", "share of rows"),
    "macro_f1": Curve("Macro-F1", "0 to 1"),
    "micro_f1": Curve("Micro-F1", "0 to 1"),
    "mae": Curve("Mean error", "the numbers' own unit"),
    "token_accuracy": Curve("Token accuracy", "share of tokens"),
    "preference_accuracy": Curve("Preference accuracy", "share of pairs"),
    "reward_margin": Curve("Reward margin", "nats, times beta"),
    "learning_rate": Curve("Learning rate", "per step"),
    "grad_norm": Curve("Gradient norm", "norm"),
    "seconds_per_step": Curve("Seconds per step", "s"),
    "tokens_per_second": Curve("Speed", "tokens/s"),
    "tokens": Curve("Tokens seen", "tokens"),
    "seconds": Curve("Training time", "s"),
    "memory": Curve("Memory in use", "bytes"),
    "use": Curve("Device use", "share of the device"),
    "share_of_limit": Curve("Share of the limit", "share of the measured ceiling"),
}


def curve_of(metric: str) -> str:
    """The name of the curve of a recipe's best metric."""
    return "loss" if metric == "eval_loss" else metric


def in_a_sentence(metric: str) -> str:
    """A recipe's best metric as it stands within a sentence."""
    title = CURVES[curve_of(metric)].title
    return title[0].lower() + title[1:]


# The names of a run's step phases, in the order in which a step goes through them. Stored under the split `phases` as the
# seconds that each has taken since the run began.
PHASES = {
    "data": "Data",
    "forward": "Forward",
    "backward": "Backward",
    "optimiser": "Optimiser",
    "recording": "Recording",
    "evaluation": "Evaluation",
    "checkpoint": "Checkpoint",
    "other": "Other",
}
