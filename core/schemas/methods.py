"""What a fine-tuning method declares: which weights learn, what it needs, and what it costs."""

from __future__ import annotations

from typing import Any

from .base import Schema


class Method(Schema):
    """`adapter` methods train a small adapter beside frozen weights; `adapter_options` are arguments of peft's
    `LoraConfig` beyond those of the recipe. `base_bits` is the size of a frozen base weight where it is quantised (None:
    as loaded). `flops` counts floating-point operations a weight and token, forward and backward. `needs_module` is a
    package that has to be installed, `needs_gpu` an NVIDIA graphics card.
    """

    key: str
    order: int = 100
    title: str
    help: str
    adapter: bool
    adapter_options: dict[str, Any] = {}
    base_bits: int | None = None
    flops: int = 4
    needs_gpu: bool = False
    needs_module: str = ""
