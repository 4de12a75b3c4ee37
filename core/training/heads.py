"""What a head learns and says, for each kind of model that reads a text: one of the labels, any of them, or a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import EvalPrediction

from core.schemas.examples import Example
from core.schemas.label_sets import HALF


class Head(Protocol):
    """`problem` is what transformers calls the loss, `outputs` how many figures the head gives for a text."""

    @property
    def problem(self) -> str: ...

    @property
    def outputs(self) -> int: ...

    def target(self, example: Example) -> Any:
        """What the loss compares the head's figures with. Raises KeyError for a label that is not among the labels."""
        ...

    def answers(self, logits: torch.Tensor) -> list[Any]:
        """What the figures of shape (texts, outputs) mean, one answer a text."""
        ...

    def figures(self, prediction: EvalPrediction) -> dict[str, float]:
        """What is measured on validation beside the loss."""
        ...

    def facts(self) -> dict[str, Any]:
        """What whoever loads the model has to know (see `from_facts`)."""
        ...


@dataclass(frozen=True)
class OneOf:
    """One of the labels: cross-entropy, softmax."""

    labels: tuple[str, ...]
    problem: str = "single_label_classification"

    @property
    def outputs(self) -> int:
        return len(self.labels)

    def target(self, example: Example) -> int:
        return self._places[example.label or ""]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {label: i for i, label in enumerate(self.labels)}

    def answers(self, logits: torch.Tensor) -> list[Any]:
        """Probabilities that sum to 1."""
        return list(logits.float().softmax(-1).tolist())

    def figures(self, prediction: EvalPrediction) -> dict[str, float]:
        """Accuracy, and the unweighted mean of the classes' F1 over the classes that occur."""
        logits, gold = _arrays(prediction)
        chosen = np.argmax(logits, axis=-1)
        f1 = []
        for label in np.union1d(gold, chosen):
            hits = np.sum((gold == label) & (chosen == label))
            f1.append(2 * hits / (np.sum(gold == label) + np.sum(chosen == label)))
        return {"accuracy": float(np.mean(gold == chosen)), "macro_f1": float(np.mean(f1))}

    def facts(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True)
class AnyOf:
    """Any number of the labels, each decided by itself: binary cross-entropy, sigmoid."""

    labels: tuple[str, ...]
    thresholds: tuple[float, ...] = ()
    problem: str = "multi_label_classification"

    @property
    def outputs(self) -> int:
        return len(self.labels)

    def target(self, example: Example) -> list[float]:
        """1 for each label of the example, else 0; all 0 where it has none."""
        own = set(example.labels or ())
        if unknown := own - set(self.labels):
            raise KeyError(unknown.pop())
        return [float(label in own) for label in self.labels]

    def answers(self, logits: torch.Tensor) -> list[Any]:
        """The probability of each label by itself."""
        return list(logits.float().sigmoid().tolist())

    def figures(self, prediction: EvalPrediction) -> dict[str, float]:
        """Micro-F1, and macro-F1 over the labels that occur, both at a threshold of one half."""
        logits, targets = _arrays(prediction)
        gold, given = targets > 0.5, logits >= 0
        right, both = (gold & given).sum(axis=0), gold.sum(axis=0) + given.sum(axis=0)
        occurs = gold.any(axis=0)
        f1 = 2 * right[occurs] / both[occurs]
        micro = 2 * right.sum() / both.sum() if both.sum() else 1.0
        return {"micro_f1": float(micro), "macro_f1": float(f1.mean()) if len(f1) else 0.0}

    def facts(self) -> dict[str, Any]:
        return {"thresholds": list(self.thresholds or (HALF,) * len(self.labels))}


@dataclass(frozen=True)
class Number:
    """A number: squared error of the standardised number, so that a learning rate suits every unit. What is said and
    measured is in the person's own units. `mean` and `std` are those of the training rows."""

    mean: float = 0.0
    std: float = 1.0
    problem: str = "regression"
    outputs: int = 1

    def target(self, example: Example) -> float:
        return ((example.value or 0.0) - self.mean) / self.std

    def answers(self, logits: torch.Tensor) -> list[Any]:
        """One number a text."""
        return list((logits.float()[:, 0] * self.std + self.mean).tolist())

    def figures(self, prediction: EvalPrediction) -> dict[str, float]:
        """Mean absolute error in the person's units."""
        said, gold = _arrays(prediction)
        return {"mae": float(np.abs(said.reshape(-1) - gold.reshape(-1)).mean() * self.std)}

    def facts(self) -> dict[str, Any]:
        return {"target": {"mean": self.mean, "std": self.std}}


def head_of(family: str, labels: Sequence[str], train: Sequence[Example]) -> Head | None:
    """The head that learns from these training rows; None for a family that writes text."""
    if family == "regression":
        values = np.array([e.value for e in train if e.value is not None], dtype=np.float64)
        spread = float(values.std()) if len(values) else 0.0
        return Number(float(values.mean()) if len(values) else 0.0, spread or 1.0)
    if family == "multi-label":
        return AnyOf(tuple(labels))
    return OneOf(tuple(labels)) if family == "classifier" else None


def from_facts(facts: Mapping[str, Any]) -> Head | None:
    """The head of a tuned model, from what its folder says; None for a model that writes text."""
    if facts["family"] == "multi-label":
        return AnyOf(tuple(facts["labels"]), tuple(facts["thresholds"]))
    if facts["family"] == "regression":
        return Number(**facts["target"])
    return OneOf(tuple(facts["labels"])) if facts["family"] == "classifier" else None


def _arrays(prediction: EvalPrediction) -> tuple[NDArray[Any], NDArray[Any]]:
    """(figures of the head, targets)."""
    said = prediction.predictions[0] if isinstance(prediction.predictions, tuple) else prediction.predictions
    return np.asarray(said), np.asarray(prediction.label_ids)
