"""Balanced training of a classifier: weights of the classes in the loss, or another choice of rows in each round."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from core.data.balancing import Balance, class_weights, drawn

from . import ranks

ROW_WEIGHT = "row_weight"  # column of training rows that count by a weight of their own


def weights_of(labels: Sequence[int], classes: int) -> torch.Tensor:
    """The weight of each class, shape (classes,), from the labels of the training rows; 0 for a class without rows."""
    found = class_weights({str(label): n for label, n in Counter(labels).items()})
    return torch.tensor([found.get(str(label), 0.0) for label in range(classes)])


def row_losses(logits: torch.Tensor, targets: torch.Tensor, problem: str, smoothing: float = 0.0) -> torch.Tensor:
    """One loss a row, shape (batch,), as transformers takes the mean of them for this `problem_type`.

    `smoothing` spreads this share of each right answer over all classes (Szegedy et al. 2016, arXiv 1512.00567).
    """
    if problem == "regression":
        return (logits.float().squeeze(-1) - targets.float()) ** 2
    if problem == "multi_label_classification":
        return binary_cross_entropy_with_logits(logits.float(), targets.float(), reduction="none").mean(-1)
    return cross_entropy(logits.float(), targets, reduction="none", label_smoothing=smoothing)


def weighted_loss(
    logits: torch.Tensor,
    labels: torch.Tensor,
    weights: torch.Tensor | None,
    rows: torch.Tensor | float | None = None,
    smoothing: float = 0.0,
    problem: str = "single_label_classification",
    row_weights: torch.Tensor | None = None,
) -> torch.Tensor:
    """sum(v * w[y] * -log p(y)) / rows. `logits` has the shape (batch, classes); `weights` w are by class, `row_weights` v by row
    of the batch; `rows` is that of the batch unless given.

    Divided by the rows and not by the sum of their weights: else the weights cancel in a batch of one class.
    """
    losses = row_losses(logits, labels, problem, smoothing)
    if weights is not None:
        losses = weights.to(losses.device)[labels] * losses
    if row_weights is not None:
        losses = row_weights.to(losses) * losses
    return losses.sum() / (len(labels) if rows is None else rows)


class WeightedTraining:
    """Mixin for a Trainer: `class_weights` and `smoothing` count in training steps. Evaluations keep the plain loss.

    The library divides a classifier's loss by the rows of one batch only, though it counts on the rows of the whole step: with
    gradient accumulation, or on several devices, the gradient would be as many times too large. Ours divides by all of them.
    """

    class_weights: torch.Tensor | None = None
    smoothing: float = 0.0
    problem: str = "single_label_classification"

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        if not model.training:
            return super().compute_loss(model, inputs, return_outputs, None)  # type: ignore[misc]
        labels = inputs["labels"]
        outputs = model(**{name: value for name, value in inputs.items() if name not in ("labels", ROW_WEIGHT)})
        # The rows of all batches of the step are known only where the model takes part in scaling its loss.
        counted = num_items_in_batch if self.model_accepts_loss_kwargs else None  # type: ignore[attr-defined]
        # It counts figures: a row that may have several labels has one for each.
        rows = None if counted is None else counted / max(1, labels[0].numel())
        loss = weighted_loss(
            outputs.logits, labels, self.class_weights, rows, self.smoothing, self.problem, inputs.get(ROW_WEIGHT)
        )
        if rows is not None:
            loss = loss * ranks.size()  # the rows are those of all devices, whose gradients are averaged
        return (loss, outputs) if return_outputs else loss


class Rounds:
    """Which rows each round reads: all of them, or drawn anew for every round so that the classes are balanced."""

    def __init__(self, labels: Sequence[int], balance: Balance, seed: int) -> None:
        self.labels, self.balance, self.seed = list(labels), balance, seed

    def __len__(self) -> int:
        return len(self.rows(0))

    def rows(self, epoch: int) -> list[int]:
        """Indices into the training rows."""
        return drawn(self.labels, self.balance, self.seed + epoch)


class CellRounds(Rounds):
    """The same for cells of rows; rows without a cell are read once in each round."""

    def __init__(self, cells: Sequence[int | None], balance: Balance, seed: int) -> None:
        self.free = [i for i, cell in enumerate(cells) if cell is None]
        self.places = [i for i, cell in enumerate(cells) if cell is not None]
        super().__init__([cell for cell in cells if cell is not None], balance, seed)

    def rows(self, epoch: int) -> list[int]:
        return sorted([*self.free, *(self.places[i] for i in super().rows(epoch))])


def thumb_weights(liked: Sequence[bool]) -> tuple[float, float]:
    """Weights of liked and disliked rows, the rarer kind raised so that both weigh the same in all (KTO, eq. 8)."""
    up = sum(liked)
    down = len(liked) - up
    if not up or not down:
        return 1.0, 1.0
    return max(1.0, down / up), max(1.0, up / down)
