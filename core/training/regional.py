"""Regional compile: each of the model's repeated layers is compiled once, not the whole model (torch's advice for stacks of
equal layers: they share one compilation, so that it takes seconds and not minutes)."""

from __future__ import annotations

from typing import Any

import torch

from core.schemas.errors import UserError

BACKEND = "inductor"


def layers_of(model: torch.nn.Module) -> list[torch.nn.Module]:
    """The members of the longest lists of equal layers: of an encoder-decoder both. Empty where there is no such list."""
    lists = [
        m for m in model.modules()
        if isinstance(m, torch.nn.ModuleList) and len(m) > 1 and len({type(layer) for layer in m}) == 1
    ]  # fmt: skip
    longest = max((len(m) for m in lists), default=0)
    return [layer for m in lists if len(m) == longest for layer in m]


def compile_layers(model: torch.nn.Module, backend: str = BACKEND) -> int:
    """Compile the layers in place (names and weights stay as they are); they are really compiled at the first step that meets
    them. Returns how many. Raises UserError where this machine or this model cannot."""
    if reason := refusal(backend):
        raise _refused(reason)
    layers = layers_of(model)
    if not layers:
        raise _refused("This model has no stack of equal layers.")
    for layer in layers:
        layer.compile(backend=backend)
    return len(layers)


def refusal(backend: str = BACKEND) -> str:
    """Why nothing can be compiled here, as a sentence; empty where it works. Tried on one small function."""
    trial: Any = torch.compile(lambda x: (x * 2).relu().sum(), backend=backend)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        trial(torch.ones(8, device=device))
    except Exception as error:  # no compiler, no Triton, no headers of Python, a folder that nobody may write to
        return (
            f"A small trial failed: {type(error).__name__}. On a processor a C++ compiler is needed, on a card Triton."
        )
    return ""


def _refused(reason: str) -> UserError:
    return UserError(
        "The layers cannot be compiled here.", reason, "Switch “Compile the layers” off: the result is the same."
    )
