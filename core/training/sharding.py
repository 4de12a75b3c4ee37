"""A model in parts: each device holds a share of every weight, of its gradient and of its optimizer's numbers.

PyTorch's FSDP2, one group of weights for each layer and one for the rest: a layer is put together while it computes and let go
again. What is written and read is whole, so that a checkpoint does not know how many devices made it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from peft import PeftModel, get_peft_model_state_dict
from safetensors import safe_open
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor, distribute_tensor

from core.schemas.recipe import Recipe

from . import ranks

T = TypeVar("T")


def wanted(recipe: Recipe) -> bool:
    """Whether the model of this training is in parts."""
    return recipe.sharding == "full" and ranks.size() > 1


def shard(model: Any, device: str) -> None:
    """Keep this process's part of the weights on its device, and of no other weight. Every process has to ask, with the same
    weights. Weights that share a module's layers are put together one layer at a time."""
    inner = model.get_base_model() if isinstance(model, PeftModel) else model
    mesh = init_device_mesh(device, (ranks.size(),))
    for layer in _layers(inner):
        fully_shard(layer, mesh=mesh)
    fully_shard(inner, mesh=mesh)
    if inner.config.is_encoder_decoder:
        # It asks the encoder by itself, past the forward pass of the whole that puts the word table together.
        register_fsdp_forward_method(inner, "generate")


def _layers(module: torch.nn.Module) -> Iterator[torch.nn.Module]:
    """The outermost lists of layers, one by one: what is inside a layer comes with it."""
    for child in module.children():
        if isinstance(child, torch.nn.ModuleList):
            yield from child
        else:
            yield from _layers(child)


def settle(model: torch.nn.Module) -> None:
    """Let go of what a forward pass without a backward pass left whole."""
    for module in model.modules():
        if isinstance(module, FSDPModule):
            module.reshard()


def whole(found: T) -> T:
    """The same dicts and lists with every part put together, on the processor. Only rank 0 keeps them; every process has to
    ask. Weights that are one object stay one."""
    seen: dict[int, torch.Tensor] = {}

    def put_together(part: torch.Tensor) -> torch.Tensor:
        if id(part) not in seen:
            complete = part.full_tensor() if isinstance(part, DTensor) else part
            seen[id(part)] = complete.detach().cpu() if ranks.first() else torch.empty(0)
        return seen[id(part)]

    with torch.no_grad():
        return _each(found, put_together)


def _each(found: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    if isinstance(found, torch.Tensor):
        return change(found)
    if isinstance(found, Mapping):
        return type(found)((key, _each(value, change)) for key, value in found.items())  # type: ignore[call-arg]
    return [_each(value, change) for value in found] if isinstance(found, list) else found


def learned(model: Any) -> dict[str, torch.Tensor]:
    """The weights that a checkpoint of `model` holds, by their names in the model."""
    settle(model)
    state: dict[str, torch.Tensor] = model.state_dict(keep_vars=True)
    if not isinstance(model, PeftModel):
        return state
    return {name: weight for name, weight in state.items() if weight.requires_grad}


def load(model: Any, folder: str | Path) -> None:
    """Read this process's part of the weights in a checkpoint. Raises KeyError where one is missing there."""
    state = learned(model)
    if isinstance(model, PeftModel):
        state = get_peft_model_state_dict(model, state_dict=state)
    left = dict(state)
    with torch.no_grad():
        for file in sorted(Path(folder).glob("*.safetensors")):
            with safe_open(file, "pt") as found:
                for name in found.keys() & left.keys():
                    _fill(left.pop(name), found.get_tensor(name))
    filled = {id(weight) for name, weight in state.items() if name not in left}
    if missing := [name for name, weight in left.items() if id(weight) not in filled]:
        raise KeyError(f"weights that the checkpoint lacks: {', '.join(missing)}")


def _fill(target: torch.Tensor, complete: torch.Tensor) -> None:
    target.copy_(_part(complete, target) if isinstance(target, DTensor) else complete)


def _part(complete: torch.Tensor, like: DTensor) -> DTensor:
    """This process's part of a tensor that every process has, laid out as `like`."""
    mesh = like.device_mesh
    return distribute_tensor(complete.to(mesh.device_type), mesh, like.placements, src_data_rank=None)


def in_parts(state: dict[str, Any], optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """An optimizer's state as it was saved whole, in the parts of the weights that `optimizer` has now."""
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]

    def of(weight: torch.Tensor, value: Any) -> Any:
        same = isinstance(weight, DTensor) and isinstance(value, torch.Tensor) and value.shape == weight.shape
        return _part(value, weight) if same and value.dim() else value

    parts = {
        number: {name: of(weights[int(number)], value) for name, value in values.items()}
        for number, values in state["state"].items()
    }
    return {**state, "state": parts}
