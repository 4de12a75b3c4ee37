"""LoRA on a card with fewer passes over its inputs and outputs than peft makes: the same numbers, up to rounding.

Small products between large copies: what an adapter costs is not arithmetic but reading and writing (`benchmarks/launches.py`).
peft turns each input into float32, which autocast turns back; it then writes the adapter's output, multiplies it, and adds
it. Here the input is read as it is, the factor goes into the small matrix, and the product is added where it is computed.
"""

from __future__ import annotations

import types
from typing import Any

import torch
from peft import PeftModel
from peft.tuners.lora import Linear
from peft.tuners.tuners_utils import BaseTunerLayer
from torch.nn.functional import linear


def spare_casts(model: PeftModel) -> None:
    """Under autocast let an adapter read its input as it is: what autocast makes of it is the same, bit by bit. Elsewhere (a
    model that writes samples between two steps) peft's copy is needed. DoRA keeps the copy: its norms of the weights are
    computed in the input's format."""
    for module in model.modules():
        if isinstance(module, BaseTunerLayer) and not getattr(module, "lora_variant", None):
            module._cast_input_dtype = types.MethodType(_as_it_is, module)


def _as_it_is(self: Any, x: torch.Tensor | None, dtype: torch.dtype) -> torch.Tensor | None:
    if x is None or torch.is_autocast_enabled(x.device.type):
        return x
    return x.to(dtype)


def quicken(model: PeftModel) -> int:
    """Let plain LoRA on plain linear layers be computed by `_forward`; returns how many. All others stay as peft made them."""
    found = [module for module in model.modules() if type(module) is Linear and _plain(module)]
    for module in found:
        module.forward = types.MethodType(_forward, module)
    return len(found)


def as_peft_made_it(model: PeftModel) -> None:
    """Undo both, to compare."""
    for module in model.modules():
        if isinstance(module, BaseTunerLayer):
            for name in ("forward", "_cast_input_dtype"):
                module.__dict__.pop(name, None)


def _plain(module: Linear) -> bool:
    return (
        type(module.get_base_layer()) is torch.nn.Linear
        and not module.lora_variant
        and all(type(down) is torch.nn.Linear for down in module.lora_A.values())
        and all(up.bias is None for up in module.lora_B.values())
    )


def _forward(self: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    """x of shape (…, inputs) to (…, outputs): x W + s·(x A) B, as W x + A's part times (s·B)."""
    active = self.active_adapters
    if args or kwargs or self.disable_adapters or self.merged or len(active) != 1 or active[0] not in self.lora_A:
        return type(self).forward(self, x, *args, **kwargs)
    (name,) = active
    down = self.lora_A[name]
    up = self.lora_B[name].weight * self.scaling[name]  # (outputs, rank): the factor meets few numbers here
    narrow = down(self.lora_dropout[name](self._cast_input_dtype(x, down.weight.dtype)))
    if torch.compiler.is_compiling():  # a compiler joins the sum to what comes after it
        out: torch.Tensor = self.base_layer(x)
        return out + linear(narrow, up).to(out.dtype)
    flat: torch.Tensor = self.base_layer(x.flatten(0, -2))
    # In place: otherwise the product would be written by itself, or the sum begin with a copy of what is there.
    flat.addmm_(narrow.flatten(0, -2).to(flat.dtype), up.to(flat.dtype).t())
    return flat.view(*x.shape[:-1], flat.shape[-1])
