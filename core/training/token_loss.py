"""The loss of a language model at the tokens that count, and at no others.

trl's trainer finds these tokens on the device, which makes the processor wait for a graphics card in every step, and asks it
for figures after every step. Here their places come with the batch (`LanguageCollator`), and the figures stay on the device.
On a processor trl goes through every position in tiles and computes them again in the backward pass, which takes longer than
the whole rest of a step of a small model; here the head is applied once, and only where the next token is learned: as a whole
where its logits are few, else and on a graphics card tile by tile (`one_pass`).
"""

from __future__ import annotations

import functools
import types
from typing import Any

import torch
from peft import PeftModel
from torch.nn.functional import cross_entropy

from . import one_pass

MOST_NUMBERS = 2**27  # logits at once (512 MB in float32); beyond it, and on a graphics card, tiles
# Settings of models whose head does more than one product (trl's head knows them).
MORE_THAN_A_PRODUCT = (
    "final_logit_softcapping", "logit_scale", "output_multiplier", "lm_head_multiplier", "logits_scaling",
    "output_router_logits",
)  # fmt: skip
OWN_INPUTS = ("at_tokens", "real_tokens")  # of a batch, for the trainer and not for the model


def teach(model: Any) -> bool:
    """Let `model(…, at_tokens=places, gold=ids)` give the summed loss and the hits there, see `summed`. False where its head is
    not a plain product; then nothing is changed."""
    inner = model.get_base_model() if isinstance(model, PeftModel) else model
    config = inner.config.get_text_config()
    if config is not inner.config or any(getattr(config, name, None) for name in MORE_THAN_A_PRODUCT):
        return False
    before = inner.forward

    @functools.wraps(type(inner).forward)  # `generate` looks at the signature
    def forward(
        self: Any, *args: Any, at_tokens: torch.Tensor | None = None, gold: torch.Tensor | None = None, **kwargs: Any
    ) -> Any:
        if at_tokens is None or gold is None:
            return before(*args, **kwargs)
        hidden = self.base_model(*args, use_cache=False, **kwargs).last_hidden_state
        return summed(hidden.flatten(0, 1).index_select(0, at_tokens), self.get_output_embeddings(), gold)

    inner.forward = types.MethodType(forward, inner)
    return True


def summed(hidden: torch.Tensor, head: torch.nn.Module, gold: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Loss in nats over the tokens (n, size) with the ids `gold` (n,), and how many of them the model puts first."""
    plain = type(head) is torch.nn.Linear
    if plain and (hidden.is_cuda or len(gold) * head.out_features > MOST_NUMBERS):
        return one_pass.summed(hidden, head.weight, head.bias, gold)
    logits = head(hidden).float()
    return cross_entropy(logits, gold, reduction="sum"), (logits.detach().argmax(-1) == gold).sum()


def loss_and_hits(model: Any, inputs: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Summed loss in nats over the tokens that count, how many of them the model puts first, and their number.

    `inputs` is a batch of `LanguageCollator`. Nothing here waits for the device.
    """
    places, labels = inputs["at_tokens"], inputs["labels"]
    given = {name: value for name, value in inputs.items() if name not in ("labels", "use_cache", *OWN_INPUTS)}
    gold = labels.flatten().index_select(0, places + 1)
    loss, hits = model(**given, at_tokens=places, gold=gold)
    return loss, hits, len(places)
