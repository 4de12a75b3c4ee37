"""The loss of a language model at the tokens that count, and at no others.

trl's fused head goes through every position in tiles and computes them again in the backward pass, which saves memory on a
graphics card. On a processor it takes longer than the whole rest of a step of a small model, most of it for positions that no
loss looks at. Here the head is applied once, and only where the next token is learned.
"""

from __future__ import annotations

import functools
import types
from typing import Any

import torch
from peft import PeftModel
from torch.nn.functional import cross_entropy
from transformers.modeling_outputs import CausalLMOutput

MOST_NUMBERS = 2**27  # logits at once (512 MB in float32); beyond it the tiles of trl's head are the better choice
# Settings of models whose head does more than one product (trl's head knows them).
MORE_THAN_A_PRODUCT = (
    "final_logit_softcapping", "logit_scale", "output_multiplier", "lm_head_multiplier", "logits_scaling",
    "output_router_logits",
)  # fmt: skip


def teach(model: Any) -> bool:
    """Let `model(…, at_tokens=labels)` give the logits of the tokens that count, shape (tokens, vocabulary). False where its
    head is not a plain product; then nothing is changed."""
    inner = model.get_base_model() if isinstance(model, PeftModel) else model
    config = inner.config.get_text_config()
    if config is not inner.config or any(getattr(config, name, None) for name in MORE_THAN_A_PRODUCT):
        return False
    before = inner.forward

    @functools.wraps(type(inner).forward)  # `generate` looks at the signature
    def forward(self: Any, *args: Any, at_tokens: torch.Tensor | None = None, **kwargs: Any) -> Any:
        if at_tokens is None:
            return before(*args, **kwargs)
        hidden = self.base_model(*args, use_cache=False, **kwargs).last_hidden_state[:, :-1]
        return CausalLMOutput(logits=self.get_output_embeddings()(hidden[at_tokens[:, 1:] != -100]))

    inner.forward = types.MethodType(forward, inner)
    return True


def fits(labels: torch.Tensor, vocabulary: int) -> bool:
    """Whether the logits of a batch may stand in memory at once. A graphics card has trl's kernel, which is made for it."""
    return labels.device.type != "cuda" and int((labels[:, 1:] != -100).sum()) * vocabulary <= MOST_NUMBERS


def loss_and_hits(model: Any, inputs: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Summed loss in nats over the tokens that count, how many of them the model puts first, and their number.

    `inputs` has labels of shape (rows, width), -100 where nothing is learned.
    """
    labels = inputs["labels"]
    given = {name: value for name, value in inputs.items() if name not in ("labels", "use_cache")}
    logits = model(**given, at_tokens=labels).logits.float()
    gold = labels[:, 1:][labels[:, 1:] != -100]
    hits = (logits.detach().argmax(-1) == gold).sum()
    return cross_entropy(logits, gold, reduction="sum"), hits, torch.tensor(len(gold), device=labels.device)
