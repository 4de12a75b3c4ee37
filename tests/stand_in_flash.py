"""A plain loop in place of flash attention, which torch has for NVIDIA cards alone. It stands below torch's own operator for
examples of any length, so that everything above it (signature, gradients, what a compiler sees) is what a card gets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention


def by_loop(query: Any, key: Any, value: Any, starts: Any, longest: int, scale: float | None, left: int) -> Any:
    """What the kernel computes, one example after the other."""
    out = []
    for begin, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        assert end - begin <= longest
        q, k, v = (x[begin:end].transpose(0, 1) for x in (query, key, value))
        seen = torch.ones(end - begin, end - begin, dtype=torch.bool, device=q.device).tril()
        if left >= 0:
            seen = seen.triu(-left)
        shared = q.shape[0] // k.shape[0]
        k, v = k.repeat_interleave(shared, 0), v.repeat_interleave(shared, 0)
        out.append(scaled_dot_product_attention(q, k, v, attn_mask=seen, scale=scale).transpose(0, 1))
    return torch.cat(out)


def _forward(
    query: Any, key: Any, value: Any, starts: Any, _: Any, longest: int, *rest: Any, scale: Any = None, **more: Any
) -> tuple[torch.Tensor, ...]:
    out = by_loop(query, key, value, starts, longest, scale, more["window_size_left"]).contiguous()
    nothing = torch.empty(0)
    return out, torch.empty(query.shape[1], query.shape[0]), nothing, nothing.clone(), nothing.clone()


def _backward(
    gradient: Any, query: Any, key: Any, value: Any, out: Any, sums: Any, starts: Any, _: Any, longest: int, *rest: Any,
    scale: Any = None, **more: Any,
) -> tuple[torch.Tensor, ...]:  # fmt: skip
    """By hand: automatic differentiation is above the place where this stands."""
    found = [torch.zeros_like(x, dtype=torch.float32) for x in (query, key, value)]
    shared, scale = query.shape[1] // key.shape[1], scale or query.shape[-1] ** -0.5
    for begin, end in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        q, k, v, g = (x[begin:end].transpose(0, 1).float() for x in (query, key, value, gradient))
        k, v = k.repeat_interleave(shared, 0), v.repeat_interleave(shared, 0)
        seen = torch.ones(end - begin, end - begin, dtype=torch.bool).tril()
        if more["window_size_left"] >= 0:
            seen = seen.triu(-more["window_size_left"])
        weights = (q @ k.mT * scale).masked_fill(~seen, float("-inf")).softmax(-1)
        of_weights = g @ v.mT
        of_scores = weights * (of_weights - (of_weights * weights).sum(-1, keepdim=True)) * scale
        parts = (of_scores @ k, of_scores.mT @ q, weights.mT @ g)
        for total, part in zip(found, parts, strict=True):
            total[begin:end] += part.view(-1, part.shape[0] // total.shape[1], *part.shape[1:]).sum(1).transpose(0, 1)
    return tuple(total.to(x.dtype) for total, x in zip(found, (query, key, value), strict=True))


@contextmanager
def on_a_processor() -> Iterator[None]:
    """Meanwhile `torch.nn.attention.varlen` computes on a processor too."""
    with torch.library._scoped_library("aten", "IMPL") as library:
        library.impl("_flash_attention_forward", _forward, "CPU")
        library.impl("_flash_attention_backward", _backward, "CPU")
        yield
