"""How each token is chosen, so that an answer depends on its prompt and the seed alone and not on its neighbours in a batch."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import LogitsProcessor, LogitsProcessorList, StoppingCriteria, StoppingCriteriaList

from core.schemas.predictor import Decoding


class RowDraws(LogitsProcessor):
    """Draws the next token of every row with a random source of the row's own, and leaves only that token possible.

    Temperature, then the likeliest tokens up to `top_p` (Holtzman et al. 2020, ICLR), then one draw from what is left in
    order of likelihood. Base and tuned model get the same draws for the same prompt, so that what differs between their
    answers is the models and less often luck.
    """

    def __init__(self, decoding: Decoding, sources: Sequence[random.Random]) -> None:
        self.decoding, self.sources = decoding, sources

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """`scores`: logits, shape (rows, tokens)."""
        likely = torch.softmax(scores.float() / self.decoding.temperature, dim=-1).double()
        ordered, places = likely.sort(dim=-1, descending=True, stable=True)
        upto = ordered.cumsum(dim=-1)
        # A token is left out where those before it suffice; so the likeliest one always stays.
        kept = torch.where(upto - ordered < self.decoding.top_p, ordered, 0.0).cumsum(dim=-1)
        drawn = torch.tensor([source.random() for source in self.sources], dtype=torch.float64, device=scores.device)
        picked = torch.searchsorted(kept, (drawn * kept[:, -1])[:, None], right=True)
        token = places.gather(-1, picked.clamp_(max=places.shape[-1] - 1))
        return torch.full_like(scores, -torch.inf).scatter_(-1, token, 0.0)


class EachToken(StoppingCriteria):
    """Calls `tick` after every token with the share of `most` tokens that is written: a long answer can be left within
    moments. It never stops anything itself."""

    def __init__(self, most: int, tick: Callable[[float], None]) -> None:
        self.most, self.tick, self.written = most, tick, 0

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        self.written += 1
        self.tick(min(1.0, self.written / self.most))
        return torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)


def sources(texts: Sequence[str], decoding: Decoding) -> list[random.Random]:
    """A random source for each prompt, from its text and the seed; a prompt that comes again gets another one."""
    seen: Counter[str] = Counter()
    out = []
    for text in texts:
        out.append(random.Random(f"{decoding.seed}:{seen[text]}:{text}"))
        seen[text] += 1
    return out


def choosing(
    decoding: Decoding, drawn: Sequence[random.Random], tick: Callable[[int], None], done: int
) -> dict[str, Any]:
    """What `generate` is told for one batch whose rows have these sources: the likeliest token at temperature 0.

    `tick` learns how many answers are written, with `done` of them before this batch.
    """
    each = EachToken(decoding.max_new_tokens, lambda share: tick(done + int(share * len(drawn))))
    told: dict[str, Any] = {"do_sample": False, "stopping_criteria": StoppingCriteriaList([each])}
    if decoding.temperature > 0:
        told["logits_processor"] = LogitsProcessorList([RowDraws(decoding, drawn)])
    return told
