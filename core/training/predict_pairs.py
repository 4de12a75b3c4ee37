"""A loaded encoder-decoder behind the torch-free `Predictor` protocol: it reads one text and writes another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from core.schemas.predictor import Decoding, Generation, Score

from .faults import translated
from .predict import Prompt, _batches, _Loaded, _pad, counted_score
from .sampling import choosing, sources


class PairPredictor(_Loaded):
    """Writes and scores. A prompt is the text to read, or a conversation of which the last turn is read."""

    @translated()
    @torch.no_grad()
    def generate(self, prompts: Sequence[Prompt], decoding: Decoding, **told: Any) -> list[Generation]:
        """Greedy at temperature 0, else drawn with the given seed; right-padded batches of similar length. `told`: what else
        `generate` of transformers is told, for a prompt by itself (a `streamer`)."""
        was_training = self.model.training
        self.model.eval()
        encoded = [self.codec.prompt_ids(p) for p in prompts]
        ends = set(self.codec.stop_ids(self.model.generation_config.eos_token_id))
        out: list[Generation | None] = [None] * len(prompts)
        drawn = sources([self.codec.prompt_text(p) for p in prompts], decoding)
        done = 0
        for chosen in _batches([len(e) + decoding.max_new_tokens for e in encoded]):
            ids, mask = _pad([encoded[i] or [self.pad] for i in chosen], self.pad, "right", self.device)
            made = self.model.generate(
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=decoding.max_new_tokens,
                repetition_penalty=decoding.repetition_penalty,
                decoder_start_token_id=self._start,
                eos_token_id=sorted(ends),
                pad_token_id=self.pad,
                use_cache=True,
                num_beams=1,  # such models often come with more in their own settings
                **choosing(decoding, [drawn[i] for i in chosen], self.tick, done),
                **told,
            )
            for i, row in zip(chosen, made[:, 1:].tolist(), strict=True):
                out[i] = self._written(row, ends)
            done += len(chosen)
            self.tick(done)
        self.model.train(was_training)
        return [g for g in out if g is not None]

    @property
    def _start(self) -> int:
        start = self.model.config.decoder_start_token_id
        return self.pad if start is None else int(start)

    @translated()
    @torch.no_grad()
    def score(self, prompts: Sequence[Prompt], answers: Sequence[str]) -> list[Score]:
        """Likelihood of each answer after what was read: exactly the tokens that training counts."""
        self.model.eval()
        encoded = [self.codec.scored(p, a) for p, a in zip(prompts, answers, strict=True)]
        read = [[i for i, counts in zip(*e, strict=True) if not counts] for e in encoded]
        told = [[i for i, counts in zip(*e, strict=True) if counts] for e in encoded]
        out: list[Score | None] = [None] * len(encoded)
        done = 0
        for chosen in _batches([len(ids) for ids, _ in encoded]):
            ids, mask = _pad([read[i] or [self.pad] for i in chosen], self.pad, "right", self.device)
            target, counted = _pad([told[i] or [self.pad] for i in chosen], self.pad, "right", self.device)
            logits = self.model(
                input_ids=ids, attention_mask=mask, labels=target.masked_fill(counted == 0, -100)
            ).logits
            losses = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), target.flatten(), reduction="none")
            losses, hits = losses.view(target.shape), logits.argmax(-1) == target
            for k, i in enumerate(chosen):
                flags = counted[k].bool()
                out[i] = counted_score(losses[k], hits[k], flags, answers[i])
            done += len(chosen)
            self.tick(done)
        return [s for s in out if s is not None]

    def classify(self, texts: Sequence[str]) -> list[list[float]]:
        raise TypeError("a model that writes does not classify")

    def values(self, texts: Sequence[str]) -> list[float]:
        raise TypeError("a model that writes predicts no numbers")
