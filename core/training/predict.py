"""Loaded models behind the torch-free `Predictor` protocol: a language model, a classifier, and a base model as classifier."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import PreTrainedTokenizerFast

from core.data.encoding import Codec
from core.schemas.examples import Example, Message
from core.schemas.predictor import Decoding, Generation, Score

TOKENS_AT_ONCE = 4096
Prompt = Sequence[Message] | str
Tick = Callable[[int], None]


def _silent(_done: int) -> None:
    pass


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Indices sorted by length and cut so that a padded batch stays near TOKENS_AT_ONCE tokens."""
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    out: list[list[int]] = []
    while order:
        size = max(1, TOKENS_AT_ONCE // max(1, lengths[order[0]]))
        out.append(order[:size])
        order = order[size:]
    return out


def _pad(rows: list[list[int]], pad: int, side: str, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    width = max(map(len, rows))
    blank = [[pad] * (width - len(row)) for row in rows]
    filled = [b + r if side == "left" else r + b for r, b in zip(rows, blank, strict=True)]
    ones = [[0] * len(b) + [1] * len(r) if side == "left" else [1] * len(r) + [0] * len(b) for r, b in zip(rows, blank, strict=True)]
    return torch.tensor(filled, device=device), torch.tensor(ones, device=device)


class _Loaded:
    labels: Sequence[str] = ()

    def __init__(self, model: Any, tokenizer: PreTrainedTokenizerFast, codec: Codec, tick: Tick = _silent) -> None:
        self.model, self.tokenizer, self.codec, self.tick = model, tokenizer, codec, tick
        self.pad = tokenizer.pad_token_id or 0

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device


class LanguagePredictor(_Loaded):
    """Generates and scores. Prompts are conversations (rendered with the model's chat template) or plain text."""

    def _limit(self) -> int:
        return int(getattr(self.model.config, "max_position_embeddings", 0) or 1 << 20)

    @torch.no_grad()
    def generate(self, prompts: Sequence[Prompt], decoding: Decoding) -> list[Generation]:
        """Greedy at temperature 0, else sampling with the given seed; left-padded batches of similar length."""
        was_training = self.model.training
        self.model.eval()
        room = max(1, self._limit() - decoding.max_new_tokens)
        encoded = [self.codec.prompt_ids(p, room) for p in prompts]
        ends = set(self.codec.stop_ids(self.model.generation_config.eos_token_id))
        out: list[Generation | None] = [None] * len(prompts)
        sampling: dict[str, Any] = {"do_sample": False}
        if decoding.temperature > 0:
            sampling = {"do_sample": True, "temperature": decoding.temperature, "top_p": decoding.top_p, "top_k": 0}
            torch.manual_seed(decoding.seed)
        done = 0
        for chosen in _batches([len(e) + decoding.max_new_tokens for e in encoded]):
            ids, mask = _pad([encoded[i] or [self.pad] for i in chosen], self.pad, "left", self.device)
            made = self.model.generate(
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=min(decoding.max_new_tokens, max(1, self._limit() - ids.shape[1])),
                repetition_penalty=decoding.repetition_penalty,
                eos_token_id=sorted(ends),
                pad_token_id=self.pad,
                use_cache=True,
                **sampling,
            )
            for i, row in zip(chosen, made[:, ids.shape[1] :].tolist(), strict=True):
                end = next((k for k, token in enumerate(row) if token in ends), None)
                text = self.tokenizer.decode(row[:end], skip_special_tokens=True)
                out[i] = Generation(text=text, tokens=len(row[:end]), finished=end is not None)
            done += len(chosen)
            self.tick(done)
        self.model.train(was_training)
        return [g for g in out if g is not None]

    @torch.no_grad()
    def score(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> list[Score]:
        """Likelihood of each answer after its prompt: exactly the tokens that training counts."""
        self.model.eval()
        limit = self._limit()
        encoded = [self.codec.scored(p, a, limit) for p, a in zip(prompts, answers, strict=True)]
        out: list[Score | None] = [None] * len(encoded)
        done = 0
        for chosen in _batches([len(ids) for ids, _ in encoded]):
            rows = [encoded[i][0] or [self.pad] for i in chosen]
            counted = [encoded[i][1] or [False] for i in chosen]
            ids, mask = _pad(rows, self.pad, "right", self.device)
            logits = self.model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1].float()
            target = ids[:, 1:]
            losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="none")
            losses = losses.view(target.shape)
            hits = logits.argmax(-1) == target
            for k, i in enumerate(chosen):
                flags = torch.zeros(target.shape[1], dtype=torch.bool, device=ids.device)
                flags[: len(rows[k]) - 1] = torch.tensor(counted[k][1:], dtype=torch.bool, device=ids.device)
                out[i] = Score(
                    nll=losses[k][flags].sum().item(),
                    tokens=int(flags.sum()),
                    correct=int(hits[k][flags].sum()),
                    n_bytes=len(answers[i].encode()),
                )
            done += len(chosen)
            self.tick(done)
        return [s for s in out if s is not None]

    def classify(self, texts: Sequence[str]) -> list[list[float]]:
        raise TypeError("a language model does not classify: use LabelLikelihood")


class ClassifierPredictor(_Loaded):
    """A tuned classifier with its head."""

    def __init__(
        self, model: Any, tokenizer: PreTrainedTokenizerFast, codec: Codec, labels: Sequence[str], tick: Tick = _silent
    ) -> None:
        super().__init__(model, tokenizer, codec, tick)
        self.labels = tuple(labels)

    @torch.no_grad()
    def classify(self, texts: Sequence[str]) -> list[list[float]]:
        """Softmax of the head's logits, in the order of `labels`."""
        self.model.eval()
        encoded = self.codec.encode_all([Example(row_id=str(i), text=t) for i, t in enumerate(texts)])
        ids_of = [list(e.ids) or [self.pad] for e in encoded]
        out: list[list[float]] = [[] for _ in texts]
        done = 0
        for chosen in _batches([len(ids) for ids in ids_of]):
            ids, mask = _pad([ids_of[i] for i in chosen], self.pad, "right", self.device)
            probabilities = self.model(input_ids=ids, attention_mask=mask).logits.float().softmax(-1).tolist()
            for i, row in zip(chosen, probabilities, strict=True):
                out[i] = row
            done += len(chosen)
            self.tick(done)
        return out

    def generate(self, prompts: Sequence[Prompt], decoding: Decoding) -> list[Generation]:
        raise TypeError("a classifier does not generate text")

    def score(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> list[Score]:
        raise TypeError("a classifier has no likelihood of texts")


class LabelLikelihood(LanguagePredictor):
    """A base language model as classifier: the likelihood of each label's name under the task's prompt.

    This is what the base model knows of the task before any training; a random head would know nothing by construction.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: PreTrainedTokenizerFast,
        codec: Codec,
        labels: Sequence[str],
        prompt: Callable[[str, Sequence[str]], str],
        tick: Tick = _silent,
    ) -> None:
        super().__init__(model, tokenizer, codec, _silent)
        self.labels, self.prompt, self.report = tuple(labels), prompt, tick

    def classify(self, texts: Sequence[str]) -> list[list[float]]:
        """Softmax over labels of the mean log-likelihood of the label's tokens (so long names are not punished)."""
        out: list[list[float]] = []
        at_once = max(1, 256 // len(self.labels))
        for start in range(0, len(texts), at_once):
            part = texts[start : start + at_once]
            prompts = [self.prompt(t, self.labels) for t in part for _ in self.labels]
            answers = [label for _ in part for label in self.labels]
            scores = [-s.nll / max(1, s.tokens) for s in self.score(prompts, answers)]
            for i in range(len(part)):
                row = scores[i * len(self.labels) : (i + 1) * len(self.labels)]
                top = max(row)
                weights = [math.exp(v - top) for v in row]
                out.append([w / sum(weights) for w in weights])
            self.report(len(out))
        return out
