"""Which device and number format to train on, chosen explicitly: library defaults are wrong for a CPU."""

from __future__ import annotations

import gc
import os
from dataclasses import dataclass

import psutil
import torch

from core.schemas.errors import UserError


@dataclass(frozen=True)
class Device:
    """`autocast` means float32 weights with bf16 arithmetic; `weights` is the format that weights are loaded in."""

    name: str
    title: str
    weights: torch.dtype
    autocast: bool


def choose(precision: str, adapter: bool) -> Device:
    """Pick the device and format for a recipe. `adapter` says that the base weights do not learn.

    bf16 only where the hardware is quick at it: on a CPU without bf16 instructions it is many times slower than float32.
    Raises UserError when bf16 is demanded where it does not run well.
    """
    if torch.cuda.is_available():
        title = torch.cuda.get_device_name(0)
        bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
        if precision == "bf16" and not bf16:
            raise UserError(
                "This graphics card cannot compute in bf16.",
                f"{title} has no bf16 instructions.",
                "Set the precision to automatic or float32.",
                "precision_auto",
            )
        if precision == "float32" or not bf16:
            return Device("cuda", title, torch.float32, False)
        # An adapter keeps its own weights in float32; the frozen base loses nothing that training would need.
        return Device("cuda", title, torch.bfloat16 if adapter else torch.float32, True)
    if torch.backends.mps.is_available():
        return Device("mps", "Apple GPU", torch.float32, False)
    if precision == "bf16":
        raise UserError(
            "This machine would be very slow in bf16.",
            "It has no graphics card, and bf16 on a processor is many times slower than float32.",
            "Set the precision to automatic or float32.",
            "precision_auto",
        )
    return Device("cpu", f"{os.cpu_count()} processor cores", torch.float32, False)


def device_name() -> str:
    """The device that a finished model answers on."""
    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"


def answering_dtype(device: str) -> torch.dtype:
    """The format that a finished model is loaded in to answer: bf16 on a card that has it, else float32."""
    bf16 = device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if bf16 else torch.float32


def compute_with(threads: int) -> None:
    """Use so many processor threads from now on."""
    torch.set_num_threads(threads)


def release_memory() -> None:
    """Give back what a model that did not fit still holds: it hangs in the traceback of its failure until collected."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def peak_memory(device: Device) -> int:
    """Bytes: the most that was reserved on the GPU, or the peak resident set of this process on a CPU."""
    if device.name == "cuda":
        return torch.cuda.max_memory_reserved()
    memory = psutil.Process().memory_info()
    return int(getattr(memory, "peak_wset", 0) or _peak_resident() or memory.rss)


def _peak_resident() -> int:
    """Peak resident set in bytes where the platform has getrusage, else 0."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if psutil.MACOS else peak * 1024
