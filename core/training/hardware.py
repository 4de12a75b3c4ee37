"""What the machine could do at most, what the training makes of it, and how much memory and device it takes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psutil
import torch
from transformers.pytorch_utils import Conv1D

from .device import Device

CPU_SIZE, GPU_SIZE, SMALL_GPU_SIZE = 768, 8192, 4096
CPU_SECONDS, GPU_SECONDS = 0.08, 0.2


@dataclass(frozen=True)
class Limit:
    """`ceiling` in FLOP a second, measured; `per_token` in FLOP, computed. The share is tokens/s * per_token / ceiling."""

    ceiling: float
    per_token: float
    how: str
    use_known: bool

    def share(self, tokens_per_second: float) -> float:
        return tokens_per_second * self.per_token / self.ceiling


def limit(device: Device, model: Any, adapter: bool, lengths: Iterable[int]) -> Limit:
    """Measure the ceiling (a tenth of a second) and count the arithmetic of a token. `lengths` are the documents' tokens."""
    ceiling, how = measured_ceiling(device)
    return Limit(ceiling, flops_per_token(model, adapter, mean_context(lengths)), how, device_use(device) is not None)


def mean_context(lengths: Iterable[int]) -> float:
    """Sum of squares over sum: the length of the document that a token taken at random stands in."""
    kept = [float(n) for n in lengths]
    return sum(n * n for n in kept) / max(1.0, sum(kept))


def flops_per_token(model: Any, adapter: bool, context: float) -> float:
    """Arithmetic of forward and backward pass for one token, as in Kaplan et al. 2020 (2 FLOP a weight and pass).

    N = weights of the linear layers and the output head, without the word table. With an adapter of P weights 4N + 6P: the
    frozen weights need no gradient of their own. Else 2N + 4 * (those that learn), which is 6N where all do. Attention adds
    6 * layers * heads * size of a head * `context` where a token sees those before it only, else twice that. Work done
    twice to save memory is not counted.
    """
    linear, learning = 0, 0
    for name, module in model.named_modules():
        if not isinstance(module, torch.nn.Linear | Conv1D) or "lora_" in name or ".original_module" in name:
            continue
        weight: torch.Tensor = module.weight
        size = module.in_features * module.out_features if isinstance(module, torch.nn.Linear) else weight.numel()
        linear += size
        learning += size if weight.requires_grad else 0
    config = model.config
    heads = getattr(config, "num_attention_heads", 0) or 0
    head = getattr(config, "head_dim", None) or (getattr(config, "hidden_size", 0) // heads if heads else 0)
    causal = any(getattr(module, "is_causal", False) for module in model.modules())
    layers = getattr(config, "num_hidden_layers", 0) or 0
    attention = (6 if causal else 12) * layers * heads * head * context
    if adapter:
        own = sum(p.numel() for p in model.parameters() if p.requires_grad)
        return 4.0 * linear + 6.0 * own + attention
    return 2.0 * linear + 4.0 * learning + attention


def measured_ceiling(device: Device) -> tuple[float, str]:
    """The fastest product of two square matrices on this device in the format of the training, in FLOP a second; and how.

    The best of some tries in a moment: on a machine that does other things too it may be low, and so the share high.
    """
    dtype = torch.bfloat16 if device.autocast or device.weights == torch.bfloat16 else torch.float32
    size = _size(device)
    source = torch.Generator(device.name).manual_seed(0)  # not the training's own: that would change the run
    a, b = (torch.rand(size, size, generator=source, device=device.name).to(dtype) for _ in range(2))
    best, end, tries = float("inf"), time.perf_counter() + (CPU_SECONDS if device.name == "cpu" else GPU_SECONDS), 0
    while tries < 3 or time.perf_counter() < end:
        begun = time.perf_counter()
        a @ b
        _wait(device)
        best, tries = min(best, time.perf_counter() - begun), tries + 1
    del a, b
    if device.name == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    threads = f", threads: {torch.get_num_threads()}" if device.name == "cpu" else ""
    return 2 * size**3 / best, f"the best of {tries} products of {size} × {size} matrices in {dtype}{threads}".replace(
        "torch.", ""
    )


def _size(device: Device) -> int:
    if device.name == "cpu":
        return CPU_SIZE
    if device.name == "cuda" and torch.cuda.mem_get_info()[0] > 4 * 2**30:
        return GPU_SIZE
    return SMALL_GPU_SIZE if device.name == "cuda" else 2048


def _wait(device: Device) -> None:
    if device.name == "cuda":
        torch.cuda.synchronize()
    elif device.name == "mps":
        torch.mps.synchronize()


def device_use(device: Device) -> float | None:
    """Share of the last moment in which the graphics card was busy, from its driver. None where that cannot be asked."""
    if device.name != "cuda":
        return 0.0 if device.name == "cpu" else None
    try:
        return torch.cuda.utilization() / 100
    except Exception:  # no nvidia-ml-py, no driver library, no permission: the panel says that it is not measured
        return None


class Usage:
    """Memory and use of the device by this training, since the last reading."""

    def __init__(self, device: Device) -> None:
        self.device, self._process = device, psutil.Process()
        self._cores = os.cpu_count() or 1
        self._last = (time.monotonic(), time.process_time())

    def read(self) -> dict[str, float]:
        """`memory` in bytes: reserved on the card, or this process's resident set. `use`: share of the card or of all cores."""
        if self.device.name == "cuda":
            found = device_use(self.device)
            memory = {"memory": float(torch.cuda.memory_reserved())}
            return memory if found is None else {**memory, "use": found}
        memory = {"memory": float(self._process.memory_info().rss)}
        if self.device.name != "cpu":
            return {"memory": float(torch.mps.driver_allocated_memory())}
        (then, before), now = self._last, (time.monotonic(), time.process_time())
        self._last = now
        return {**memory, "use": (now[1] - before) / max(1e-6, now[0] - then) / self._cores}
