"""The loss of a language model at the tokens that count, and at no others.

trl's fused head works through every position in tiles and computes them again in the backward pass, which saves memory on a
graphics card. On a processor it takes longer than the whole rest of a step of a small model, most of it for questions that no
loss looks at. Here the head is applied once, and only at the positions whose next token is learned.
"""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

MOST_NUMBERS = 2**27  # logits at once (512 MB in float32); beyond it the tiles of trl's head are the better choice


def positions(labels: torch.Tensor) -> torch.Tensor:
    """Places in the sequence whose next token counts in any row, shape (n,), from labels of shape (rows, width)."""
    return (labels[:, 1:] != -100).any(0).nonzero().squeeze(1)


def can_choose(model: Any) -> bool:
    """Whether the model takes the positions at which its head is wanted (`logits_to_keep`), as almost all of today do."""
    inner: Any = model
    for name in ("module", "get_base_model"):  # DDP, peft
        found = getattr(inner, name, None)
        inner = inner if found is None else found() if callable(found) and name == "get_base_model" else found
    return isinstance(inner, PreTrainedModel) and "logits_to_keep" in inspect.signature(type(inner).forward).parameters


def fits(labels: torch.Tensor, vocabulary: int) -> bool:
    """Whether the logits of a batch may stand in memory at once."""
    return labels.device.type != "cuda" and labels.shape[0] * len(positions(labels)) * vocabulary <= MOST_NUMBERS


def loss_and_hits(model: Any, inputs: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Summed loss in nats over the tokens that count, how many of them the model puts first, and their number."""
    labels = inputs["labels"]
    kept = positions(labels)
    given = {name: value for name, value in inputs.items() if name != "labels"}
    # The backward pass needs a way through the model, also for a batch without a token that counts.
    wanted = kept if len(kept) else torch.zeros(1, dtype=torch.long, device=labels.device)
    logits = model(**{**given, "use_cache": False, "logits_to_keep": wanted}).logits.float()
    targets = labels[:, wanted + 1] if labels.shape[1] > 1 else torch.full_like(labels, -100)
    flat, gold = logits.flatten(0, 1), targets.flatten()
    counted = gold != -100
    loss = cross_entropy(flat, gold, ignore_index=-100, reduction="sum")
    hits = (flat.detach().argmax(-1) == gold)[counted].sum()
    return loss, hits, counted.sum()
