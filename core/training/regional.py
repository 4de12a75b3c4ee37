"""Regional compile: each of the model's repeated layers is compiled once, not the whole model (torch's advice for stacks of
equal layers: they share one compilation, so that it takes seconds and not minutes)."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

import torch
from peft import PeftModel

from core.schemas.errors import UserError

log = logging.getLogger(__name__)
BACKEND = "inductor"


def layers_of(model: torch.nn.Module) -> list[torch.nn.Module]:
    """The members of the longest lists of equal layers: of an encoder-decoder both. Empty where there is no such list."""
    lists = [
        m for m in model.modules()
        if isinstance(m, torch.nn.ModuleList) and len(m) > 1 and len({type(layer) for layer in m}) == 1
    ]  # fmt: skip
    longest = max((len(m) for m in lists), default=0)
    return [layer for m in lists if len(m) == longest for layer in m]


def compile_layers(model: torch.nn.Module, backend: str = BACKEND, *, forgiving: bool = False) -> int:
    """Compile the layers in place (names and weights stay as they are) for training steps; they are really compiled at the first
    one. Evaluation and the writing of samples, whose batches are of any shape, go through the plain layers. Returns how many.
    Raises UserError where this machine or this model cannot. `forgiving`: layers that turn out not to compile stay plain."""
    if reason := refusal(backend):
        raise _refused(reason)
    layers = layers_of(model)
    if not layers:
        raise _refused("This model has no stack of equal layers.")
    if isinstance(model, PeftModel):  # its first layer, whose input needs no gradient, would be compiled by itself
        model.get_base_model().enable_input_require_grads()
    for layer in layers:
        compiled = torch.compile(layer._call_impl, backend=backend)
        layer._compiled_call_impl = partial(_in_training, layer, compiled, forgiving)
    return len(layers)


def _in_training(layer: torch.nn.Module, compiled: Any, forgiving: bool, /, *args: Any, **kwargs: Any) -> Any:
    if not layer.training:
        return layer._call_impl(*args, **kwargs)
    try:
        return compiled(*args, **kwargs)
    except torch._dynamo.exc.TorchDynamoException as error:
        if not forgiving:
            raise
        log.warning("a layer stays plain: %s", error)
        layer._compiled_call_impl = None
        return layer._call_impl(*args, **kwargs)


def plain_layers(model: torch.nn.Module) -> None:
    """Undo it, to compare."""
    if isinstance(model, PeftModel):
        model.get_base_model().disable_input_require_grads()
    for layer in layers_of(model):
        layer._compiled_call_impl = None


def any_count(starts: torch.Tensor) -> None:
    """Batches hold other numbers of examples: that is no reason to compile again."""
    torch._dynamo.maybe_mark_dynamic(starts, 0)


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
