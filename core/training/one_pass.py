"""The loss of an output head and its gradients in one pass over the tokens, tile by tile: the logits are never all there.

trl's fused head computes each tile of logits a second time in the backward pass: a quarter more arithmetic in the head of an
adapter's training (about 8% of a step of a small model, `benchmarks/launches.py`). The gradient of a sum of losses is known as
soon as a tile is, up to one factor, which the backward pass applies (the idea of Liger's fused linear cross entropy). The
kernels that read and turn a tile are trl's: on a card Triton's, elsewhere torch.
"""

from __future__ import annotations

from typing import Any

import torch
from trl.kernels import chunked_logprob as trl

TILE_BYTES = 2**29
MOST_TOKENS, MULTIPLE = 4096, 128
_TRANSFORM = {"logit_scale": 1.0, "softcap": 1.0, "inv_t": 1.0, "HAS_SOFTCAP": False}
_OUTPUTS = {
    "HAS_ENTROPY": False,
    "HAS_LOG_SUM_SQ_PROBS": False,
    "HAS_MEAN_LOGITS": False,
    "HAS_IS_TOP1": True,
}


def summed(
    hidden: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, gold: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Loss in nats over the tokens (n, size) with the ids `gold` (n,), and how many of them the head (words, size) puts first."""
    loss, first = _OnePass.apply(hidden, weight, bias, gold, torch.is_grad_enabled())
    return loss, first


def tile_tokens(words: int, size: int) -> int:
    """How many tokens a tile has whose numbers take `size` bytes each."""
    return max(MULTIPLE, min(MOST_TOKENS, TILE_BYTES // (words * size)) // MULTIPLE * MULTIPLE)


class _OnePass(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Any, weight: Any, bias: Any, gold: Any, learns: bool) -> Any:
        kind, count, words = hidden.device.type, len(hidden), weight.shape[0]
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else hidden.dtype
        wanted = [learns and need for need in ctx.needs_input_grad[:3]]
        shapes = (hidden, weight, bias)
        gradients = [
            torch.zeros_like(x, dtype=torch.float32) if want else None for x, want in zip(shapes, wanted, strict=True)
        ]
        head = weight.to(dtype)
        offset = None if bias is None else bias.to(dtype)
        each = tile_tokens(words, head.element_size())
        room = torch.empty(min(each, count), words, device=hidden.device, dtype=dtype)
        loss = torch.zeros((), device=hidden.device)
        first = torch.zeros((), device=hidden.device, dtype=torch.long)
        for begin in range(0, count, each):
            given, ids = hidden[begin : begin + each].to(dtype), gold[begin : begin + each]
            tile = room[: len(given)]
            torch.mm(given, head.t(), out=tile)
            if offset is not None:
                tile.add_(offset)
            sums, likelihoods, hits = _read(tile, ids)
            loss -= likelihoods.sum()
            first += hits.sum()
            if any(wanted):
                _turn(tile, ids, sums)
                _add(gradients, begin, tile, given, head)
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(first)
        ctx.save_for_backward(*gradients)
        ctx.dtypes = [None if x is None else x.dtype for x in shapes]
        return loss, first

    @staticmethod
    def backward(ctx: Any, factor: torch.Tensor | None, _: Any) -> Any:
        found = ctx.saved_tensors if factor is not None else (None, None, None)
        return *(None if x is None else (x * factor).to(d) for x, d in zip(found, ctx.dtypes, strict=True)), None, None


def _read(tile: torch.Tensor, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Of each token the logarithm of the sum, the likelihood of its id, and whether that is the likeliest."""
    count, words = tile.shape

    def filled(value: float) -> torch.Tensor:
        return torch.full((count,), value, device=tile.device, dtype=torch.float32)

    most, total, before, at_gold = filled(float("-inf")), filled(0.0), filled(float("-inf")), filled(0.0)
    fold = trl._forward_kernel[(count,)] if trl._use_triton(tile.device) else trl._forward_tile
    fold(
        tile, tile.stride(0), ids, most, total, filled(0.0), filled(0.0), filled(0.0), before, at_gold, 0, words,
        BLOCK_SIZE=trl._BLOCK_SIZE, **_OUTPUTS, **_TRANSFORM,
    )  # fmt: skip
    sums = most + total.log()
    return sums, at_gold - sums, (at_gold >= most) & (at_gold > before)


def _turn(tile: torch.Tensor, ids: torch.Tensor, sums: torch.Tensor) -> None:
    """Put the gradient of the summed loss in the place of the logits."""
    count, words = tile.shape
    grid = (count, -(-words // trl._BLOCK_SIZE))
    fold = trl._backward_kernel[grid] if trl._use_triton(tile.device) else trl._backward_tile
    each = torch.full_like(sums, -1.0)  # for each token's likelihood
    fold(
        tile, tile.stride(0), ids, sums, sums, each, each, 0, words,
        HAS_LOGPROB_GRAD=True, HAS_ENTROPY_GRAD=False, BLOCK_SIZE=trl._BLOCK_SIZE, **_TRANSFORM,
    )  # fmt: skip


def _add(
    gradients: list[torch.Tensor | None], begin: int, tile: torch.Tensor, given: torch.Tensor, head: torch.Tensor
) -> None:
    of_hidden, of_weight, of_bias = gradients
    if of_hidden is not None:
        trl._addmm_fp32(of_hidden[begin : begin + len(given)], tile, head)
    if of_weight is not None:
        trl._addmm_fp32(of_weight, tile.t(), given)
    if of_bias is not None:
        of_bias += tile.sum(0, dtype=torch.float32)
