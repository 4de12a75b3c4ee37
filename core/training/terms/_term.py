"""What a term may do in a training, and what it is told. Everything that a term does not do, does nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch

from core.data.encoding import Codec
from core.schemas.examples import Example
from core.schemas.terms import TermSpec

from ..balance import Rounds


@dataclass(frozen=True)
class Known:
    """What is known before the first step. `examples` are the training rows that have tokens, in the order of the dataset;
    `labels` their classes by number (empty without classes)."""

    family: str
    examples: Sequence[Example]
    labels: Sequence[int]
    codec: Codec
    model: Any
    seed: int


class Step(NamedTuple):
    """One batch. `places` are the rows' places in `Known.examples`; `outputs` what the model said (where a term asks for it);
    `loss` the loss so far, `share` that part of the step's rows that are in this batch (1 where the loss is a mean of its own);
    `done` the share of the training that is over; `again` computes the loss of the batch once more; `collate` pads token ids.
    """

    model: Any
    inputs: dict[str, Any]
    places: torch.Tensor | None
    outputs: Any
    loss: torch.Tensor
    share: float
    done: float
    epoch: int
    again: Callable[[], torch.Tensor]
    collate: Callable[[list[list[int]]], dict[str, torch.Tensor]]


class Term:
    """One corrective action at work. `needs_outputs` asks for what the model said, `needs_places` for which rows they are."""

    needs_outputs = False
    needs_places = False

    def weights(self) -> list[float] | None:
        """A weight for each row."""
        return None

    def rounds(self) -> Rounds | None:
        """Which rows each epoch reads."""
        return None

    def watching(self, model: Any) -> AbstractContextManager[Any]:
        """Around the forward passes of a training step."""
        return nullcontext()

    def extra(self, step: Step) -> torch.Tensor | None:
        """What is added to the loss; None where there is nothing to add."""
        return None

    def stepped(self) -> None:
        """After each step of the optimiser."""

    def save(self, folder: Path) -> None:
        """Into a checkpoint: what the next step needs and no one else keeps."""

    def load(self, folder: Path) -> None:
        """Out of a checkpoint."""


class Kind(Protocol):
    """`PLUGIN` of a file in this folder. `families` are the kinds of model whose loss it knows."""

    key: str
    families: tuple[str, ...]

    def make(self, spec: TermSpec, known: Known) -> Term: ...
