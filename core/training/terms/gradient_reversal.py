"""Gradient reversal (Ganin et al. 2016, JMLR 17): a second head tries to tell the group, and the model learns to make it fail.

The second head reads what the model's own head reads. It learns as usual; its gradient reaches the model with the opposite sign,
times a strength that rises as in the paper: 2 / (1 + exp(-10 p)) - 1, p being the share of the training that is over.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn.functional import cross_entropy

from core.schemas.errors import UserError
from core.schemas.terms import TermSpec

from ._term import Known, Step, Term

HIDDEN = 64
RATE = 1e-3
NOBODY = -100  # the group of a row that names none: `cross_entropy` passes over it
FILE = "gradient_reversal.safetensors"


class Reversed(torch.autograd.Function):
    """The same forward; backward the gradient times -strength."""

    @staticmethod
    def forward(ctx: Any, hidden: torch.Tensor, strength: float) -> torch.Tensor:
        ctx.strength = strength
        return hidden.view_as(hidden)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        return -ctx.strength * gradients[0], None


class GradientReversal(Term):
    needs_places = True

    def __init__(self, spec: TermSpec, known: Known) -> None:
        self.strength = float(spec.config.get("strength", 1.0))
        groups = sorted(set(spec.groups.values()))
        number = {group: i for i, group in enumerate(groups)}
        self.targets = torch.tensor([number.get(spec.groups.get(e.row_id, ""), NOBODY) for e in known.examples])
        head_of(known.model)  # refuses what it does not know, before the first step
        size = known.model.config.get_text_config().hidden_size
        with torch.random.fork_rng(devices=[]):  # the model's own numbers stay those of a run without it
            torch.manual_seed(known.seed)
            self.head = nn.Sequential(nn.Linear(size, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, max(2, len(groups))))
        self.optimiser = torch.optim.Adam(self.head.parameters(), lr=RATE)
        self.read: torch.Tensor | None = None

    @contextmanager
    def watching(self, model: Any) -> Iterator[None]:
        def keep(module: Any, given: tuple[torch.Tensor, ...]) -> None:
            if self.read is None:  # of the batch; another term may read other texts after it
                self.read = given[0]

        handle = head_of(model)[1].register_forward_pre_hook(keep)
        try:
            yield
        finally:
            handle.remove()
            self.read = None

    def at(self, done: float) -> float:
        return self.strength * (2 / (1 + math.exp(-10 * done)) - 1)

    def extra(self, step: Step) -> torch.Tensor | None:
        assert self.read is not None and step.places is not None
        targets = self.targets[step.places.cpu()].to(self.read.device)
        if not self.strength or bool((targets == NOBODY).all()):
            return None
        pad = step.model.config.get_text_config().pad_token_id
        read = pooled(self.read, head_of(step.model)[0], step.inputs["input_ids"], pad)
        self.head.to(read.device)
        said = self.head(Reversed.apply(read.float(), self.at(step.done)))
        return step.share * cross_entropy(said, targets, ignore_index=NOBODY)

    def stepped(self) -> None:
        self.optimiser.step()
        self.optimiser.zero_grad()

    def save(self, folder: Path) -> None:
        kept = {f"head.{name}": weight for name, weight in self.head.state_dict().items()}
        for i, state in self.optimiser.state_dict()["state"].items():
            kept |= {f"state.{i}.{name}": value for name, value in state.items()}
        save_file({name: value.detach().cpu().clone() for name, value in kept.items()}, folder / FILE)

    def load(self, folder: Path) -> None:
        kept = load_file(folder / FILE)
        self.head.load_state_dict({n.removeprefix("head."): v for n, v in kept.items() if n.startswith("head.")})
        state: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in kept.items():
            if name.startswith("state."):
                _, place, what = name.split(".")
                state.setdefault(int(place), {})[what] = value
        self.optimiser.load_state_dict({**self.optimiser.state_dict(), "state": state})


def head_of(model: Any) -> tuple[str, nn.Module]:
    """(name, module) of the head that decides about the labels. Raises UserError where it is of an unknown kind."""
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    for name in ("score", "classifier"):
        if isinstance(module := getattr(inner, name, None), nn.Module):
            return name, module
    raise UserError(
        "Gradient reversal does not know this kind of model.",
        f"It has to read what the head of the model reads, and {type(inner).__name__} has none that it knows.",
        "Choose logit pairing instead.",
    )


def pooled(read: torch.Tensor, name: str, ids: torch.Tensor, pad: int | None) -> torch.Tensor:
    """What the head decides by, shape (rows, width): the last token of a decoder that is not `pad`, the first of an encoder.

    By the ids and not by the mask, as transformers does it: where padding is the end-of-text token, a decoder decides by the
    token before that one.
    """
    if read.dim() == 2:
        return read
    if name == "classifier":
        return read[:, 0]
    rows, places = torch.arange(len(read), device=read.device), torch.arange(read.shape[1], device=read.device)
    if pad is None:
        return read[:, -1]
    return read[rows, (places * (ids != pad)).argmax(dim=1)]


class Kind:
    key = "gradient_reversal"
    families = ("classifier",)

    def make(self, spec: TermSpec, known: Known) -> Term:
        return GradientReversal(spec, known)


PLUGIN = Kind()
