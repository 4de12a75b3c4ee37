"""Packed rows on a graphics card: attention that works through each example by itself and builds no mask.

An attention of our own in transformers' `AttentionInterface`. Where a batch says where its examples begin (`cu_seq_lens_q`
from the collator) torch's varlen kernel takes them one by one; any other batch goes to SDPA as before. The kernel runs on
NVIDIA cards in bf16 and fp16 only, so `adopt` first compares it with SDPA on a few packed tokens of the very model, forwards
and backwards, and leaves the model as it was where they do not agree.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import torch
from peft import PeftModel
from torch.nn.attention.varlen import varlen_attn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from .device import Device

log = logging.getLogger(__name__)
NAME = "tunewell_varlen"
HALF = (torch.bfloat16, torch.float16)
AGREEMENT = 0.05  # greatest relative difference of the trial; bf16 rounding gives about .01, a wrong boundary far more
SHARES_KEYS = "enable_gqa" in inspect.signature(varlen_attn).parameters
TRIAL_LENGTHS = (5, 17, 9, 1)
# (query, key, value, starts, longest, scale, left window) -> (tokens, heads, size of a head)
Kernel = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, int, float | None, int], torch.Tensor]


def boundaries(lengths: list[list[int]], width: int, longest: int = 0) -> dict[str, Any]:
    """What the model is told about packed rows of `width` tokens: `cu_seq_lens_*` of shape (examples + 1,), int32, counted
    through the whole batch; a length that none exceeds (`longest`, where that is the same for all batches); and a mask of
    four dimensions, which transformers hands on as it is: no mask is built, and nothing waits for the device to look at one.
    Padding is one more example, or several that are no longer than the longest."""
    parts: list[int] = []
    for row in lengths:
        parts += row
        filling = width - sum(row)
        while filling:
            parts.append(min(filling, longest or filling))
            filling -= parts[-1]
    starts = torch.zeros(len(parts) + 1, dtype=torch.int32)
    starts[1:] = torch.tensor(parts).cumsum(0)
    longest = longest or max(parts)
    return {
        "cu_seq_lens_q": starts, "cu_seq_lens_k": starts, "max_length_q": longest, "max_length_k": longest,
        "attention_mask": torch.ones(len(lengths), 1, 1, 1, dtype=torch.bool),
    }  # fmt: skip


def torch_kernel(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    starts: torch.Tensor,
    longest: int,
    scale: float | None,
    left: int,
) -> torch.Tensor:
    """torch's own kernel (`torch.nn.attention.varlen`, flash attention), causal within each example. Where several heads of
    the query share a key, some versions of torch (2.11) cannot be told so: there each gets a copy."""
    shared = query.shape[1] // key.shape[1]
    if shared > 1 and not SHARES_KEYS:
        key, value, shared = key.repeat_interleave(shared, 1), value.repeat_interleave(shared, 1), 1
    given = {"enable_gqa": True} if shared > 1 else {}
    return varlen_attn(
        query, key, value, starts, starts, longest, longest, scale=scale, window_size=(left, 0), **given
    )  # fmt: skip


kernel: Kernel = torch_kernel  # the tests put a plain loop here


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    is_causal: bool | None = None,
    cu_seq_lens_q: torch.Tensor | None = None,
    max_length_q: int | None = None,
    sliding_window: int | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """As every attention of the interface: query of shape (rows, heads, width, size) to (rows, width, heads, size)."""
    if cu_seq_lens_q is None or max_length_q is None:
        if attention_mask is not None and attention_mask.shape[-2:] == (1, 1) and query.shape[2] > 1:
            raise RuntimeError("the boundaries of packed examples did not reach the attention")
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, is_causal=is_causal,
            sliding_window=sliding_window, **kwargs,
        )  # fmt: skip
    if dropout:
        raise RuntimeError("the varlen kernel knows no dropout of attention")
    if kwargs.get("softcap") is not None or kwargs.get("s_aux") is not None or kwargs.get("position_bias") is not None:
        raise RuntimeError("the varlen kernel knows neither soft caps, sinks nor a bias of positions")
    rows, _, width, _ = query.shape
    dtype = _format(query, value)
    flat = [x.transpose(1, 2).reshape(rows * width, x.shape[1], x.shape[3]).to(dtype) for x in (query, key, value)]
    left = -1 if sliding_window is None else sliding_window - 1
    out = kernel(flat[0], flat[1], flat[2], cu_seq_lens_q, int(max_length_q), scaling, left)
    return out.view(rows, width, *out.shape[1:]), None


def _format(query: torch.Tensor, value: torch.Tensor) -> torch.dtype:
    """Positions are turned in float32 under autocast, which knows SDPA but not this kernel: round as it would."""
    if query.dtype not in HALF and torch.is_autocast_enabled(query.device.type):
        return torch.get_autocast_dtype(query.device.type)
    return value.dtype


AttentionInterface.register(NAME, attend)
AttentionMaskInterface.register(NAME, sdpa_mask)  # for batches that come without boundaries: evaluation, generation


def runs_on(device: Device) -> bool:
    """Whether torch's kernel computes on this device in the format of the training."""
    return device.name == "cuda" and (device.autocast or device.weights in HALF)


def adopt(model: Any, device: Device) -> bool:
    """Let the model attend by examples from now on, if it does so rightly. False: it goes on with SDPA and positions."""
    inner = model.get_base_model() if isinstance(model, PeftModel) else model
    before = inner.config._attn_implementation
    if before != "sdpa" or not inner._can_set_attn_implementation() or _drops_attention(inner.config):
        return False
    try:
        off = _disagreement(inner, device)
    except Exception as error:  # any failure of a kernel on some card: the plain path is as right, only slower
        log.warning("varlen attention is not used: %s", error)
        inner.set_attn_implementation(before)
        return False
    if not off <= AGREEMENT:
        log.warning("varlen attention is not used: it is off by %.3f", off)
        return False
    inner.set_attn_implementation(NAME)
    return True


def _drops_attention(config: Any) -> bool:
    """Whether training switches attention off at random, by whatever name: the trial is made without."""
    found = config.get_text_config().to_dict().items()
    return any(v for k, v in found if "drop" in k and k.startswith("att") and isinstance(v, int | float))


def _disagreement(model: Any, device: Device) -> float:
    """Greatest relative difference (L2) between SDPA and the kernel on a few packed tokens: hidden states and gradients."""
    where = next(model.parameters()).device
    with _undisturbed(model, where), torch.autocast(where.type, torch.bfloat16, enabled=device.autocast):
        sdpa, ours = (_trial(model, where, name) for name in ("sdpa", NAME))
    return max(float((a - b).norm() / a.norm().clamp(min=1e-12)) for a, b in zip(sdpa, ours, strict=True))


def _trial(model: Any, where: torch.device, name: str) -> list[torch.Tensor]:
    model.set_attn_implementation(name)
    lengths, width = list(TRIAL_LENGTHS), sum(TRIAL_LENGTHS)
    ids = torch.arange(3, 3 + width, device=where)[None] % model.config.get_text_config().vocab_size
    given = model.get_input_embeddings()(ids).detach().requires_grad_()
    positions = torch.cat([torch.arange(n) for n in lengths])[None].to(where)
    more = boundaries([lengths], width) if name == NAME else {}
    more = {k: v.to(where) if isinstance(v, torch.Tensor) else v for k, v in more.items()}
    with torch.enable_grad():
        hidden = model.base_model(
            inputs_embeds=given, position_ids=positions, use_cache=False, **more
        ).last_hidden_state.float()
        weights = torch.linspace(-1, 1, hidden.numel(), device=where).view_as(hidden)
        (gradient,) = torch.autograd.grad((hidden * weights).sum(), given)
    model.set_attn_implementation("sdpa")
    return [hidden.detach(), gradient.float()]


@contextmanager
def _undisturbed(model: Any, where: torch.device) -> Any:
    """Without dropout, and with the random numbers as they were."""
    training = model.training
    with torch.random.fork_rng(devices=[where] if where.type == "cuda" else []):
        model.eval()
        try:
            yield
        finally:
            model.train(training)
