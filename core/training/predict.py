"""Loaded models behind the torch-free `Predictor` protocol: one that writes, one that reads, and a base model as classifier."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence, Set
from itertools import takewhile
from typing import Any

import torch
from transformers import PreTrainedTokenizerFast

from core.data.encoding import Codec
from core.schemas.examples import Example, Message
from core.schemas.predictor import Decoding, Generation, Score

from .faults import translated
from .heads import Head
from .sampling import choosing, sources

TOKENS_AT_ONCE = 4096
CACHED_AT_ONCE = 16384  # tokens of a shared prompt, counted once for each label
ENCODED_AT_ONCE = 4096  # pairs of a text and a label that are turned into tokens before the model reads them
Prompt = Sequence[Message] | str
Tick = Callable[[int], None]


def _silent(_done: int) -> None:
    pass


def _batches(lengths: Sequence[int], tokens: int = TOKENS_AT_ONCE) -> list[list[int]]:
    """Indices sorted by length and cut so that a padded batch stays near `tokens` tokens."""
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    out: list[list[int]] = []
    while order:
        size = max(1, min(tokens, TOKENS_AT_ONCE) // max(1, lengths[order[0]]))
        out.append(order[:size])
        order = order[size:]
    return out


def _pad(rows: list[list[int]], pad: int, side: str, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    width = max(map(len, rows))
    ids = torch.full((len(rows), width), pad)
    mask = torch.zeros((len(rows), width), dtype=torch.long)
    for i, row in enumerate(rows):
        place = slice(width - len(row), width) if side == "left" else slice(0, len(row))
        ids[i, place] = torch.tensor(row)
        mask[i, place] = 1
    return ids.to(device), mask.to(device)


def _shared(encoded: Sequence[tuple[Sequence[int], Sequence[bool]]]) -> int:
    """How many tokens all labels begin with: those before the first that counts, fewer where a long prompt was cut."""
    uncounted = min(counts.index(True) if True in counts else len(ids) for ids, counts in encoded)
    columns = zip(*(ids for ids, _ in encoded), strict=False)
    return min(uncounted, sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns)))


def next_token(model: Any, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Loss in nats of each next token, and whether it is the likeliest, shape (rows, width - 1) each. Rows are padded on
    the right."""
    logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1].float()
    target = ids[:, 1:]
    losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="none")
    return losses.view(target.shape), logits.argmax(-1) == target


def counted_score(losses: torch.Tensor, hits: torch.Tensor, counts: torch.Tensor, answer: str) -> Score:
    """The score of one answer. Loss, whether the likeliest token is right, and whether it counts: shape (width,) each."""
    return Score(
        nll=losses[counts].sum().item(),
        tokens=int(counts.sum()),
        correct=int(hits[counts].sum()),
        n_bytes=len(answer.encode()),
    )


class _Loaded:
    labels: Sequence[str] = ()
    thresholds: Sequence[float] = ()

    def __init__(self, model: Any, tokenizer: PreTrainedTokenizerFast, codec: Codec, tick: Tick = _silent) -> None:
        self.model, self.tokenizer, self.codec, self.tick = model, tokenizer, codec, tick
        self.pad = tokenizer.pad_token_id or 0

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    def _written(self, row: list[int], ends: Set[int]) -> Generation:
        """What was written up to the first token that ends an answer."""
        end = next((k for k, token in enumerate(row) if token in ends), None)
        text = self.tokenizer.decode(row[:end], skip_special_tokens=True)
        return Generation(text=text, tokens=len(row[:end]), finished=end is not None)


class LanguagePredictor(_Loaded):
    """Generates and scores. Prompts are conversations (rendered with the model's chat template) or plain text."""

    def _limit(self) -> int:
        config = self.model.config.get_text_config()
        return int(getattr(config, "max_position_embeddings", 0) or 1 << 20)

    def room(self, decoding: Decoding) -> int:
        """How many tokens of a prompt are read: a short context is shared with the answer."""
        return max(self._limit() // 2, self._limit() - decoding.max_new_tokens)

    @translated()
    @torch.no_grad()
    def generate(self, prompts: Sequence[Prompt], decoding: Decoding, **told: Any) -> list[Generation]:
        """Greedy at temperature 0, else drawn with the given seed; left-padded batches of similar length. `told`: what else
        `generate` of transformers is told, for a prompt by itself (a `streamer`)."""
        was_training = self.model.training
        self.model.eval()
        encoded = [self.codec.prompt_ids(p, self.room(decoding)) for p in prompts]
        ends = set(self.codec.stop_ids(self.model.generation_config.eos_token_id))
        out: list[Generation | None] = [None] * len(prompts)
        drawn = sources([self.codec.prompt_text(p) for p in prompts], decoding)
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
                **choosing(decoding, [drawn[i] for i in chosen], self.tick, done),
                **told,
            )
            for i, row in zip(chosen, made[:, ids.shape[1] :].tolist(), strict=True):
                out[i] = self._written(row, ends)
            done += len(chosen)
            self.tick(done)
        self.model.train(was_training)
        return [g for g in out if g is not None]

    @translated()
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
            losses, hits = next_token(self.model, ids, mask)
            for k, i in enumerate(chosen):
                flags = torch.zeros(hits.shape[1], dtype=torch.bool, device=ids.device)
                flags[: len(rows[k]) - 1] = torch.tensor(counted[k][1:], dtype=torch.bool, device=ids.device)
                out[i] = counted_score(losses[k], hits[k], flags, answers[i])
            done += len(chosen)
            self.tick(done)
        return [s for s in out if s is not None]

    def classify(self, texts: Sequence[str]) -> list[list[float]]:
        raise TypeError("a language model does not classify: use LabelLikelihood")

    def values(self, texts: Sequence[str]) -> list[float]:
        raise TypeError("a language model predicts no numbers")


class HeadPredictor(_Loaded):
    """A tuned model that reads a text and answers with its head."""

    def __init__(
        self, model: Any, tokenizer: PreTrainedTokenizerFast, codec: Codec, head: Head, tick: Tick = _silent
    ) -> None:
        super().__init__(model, tokenizer, codec, tick)
        self.head = head
        self.labels = tuple(getattr(head, "labels", ()))
        self.thresholds = tuple(getattr(head, "thresholds", ()))

    def classify(self, texts: Sequence[str]) -> list[list[float]]:
        """The probability of each label, in the order of `labels`."""
        if not self.labels:
            raise TypeError("a model that predicts numbers has no labels: use values")
        return self._answers(texts)

    def values(self, texts: Sequence[str]) -> list[float]:
        """The number of each text, in the person's own units."""
        if self.labels:
            raise TypeError("a classifier predicts no numbers")
        return self._answers(texts)

    @translated()
    @torch.no_grad()
    def _answers(self, texts: Sequence[str]) -> list[Any]:
        self.model.eval()
        encoded = self.codec.encode_all([Example(row_id=str(i), text=t) for i, t in enumerate(texts)])
        ids_of = [list(e.ids) or [self.pad] for e in encoded]
        out: list[Any] = [[] for _ in texts]
        done = 0
        for chosen in _batches([len(ids) for ids in ids_of]):
            ids, mask = _pad([ids_of[i] for i in chosen], self.pad, "right", self.device)
            said = self.head.answers(self.model(input_ids=ids, attention_mask=mask).logits)
            for i, answer in zip(chosen, said, strict=True):
                out[i] = answer
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

    @translated()
    @torch.no_grad()
    def classify(self, texts: Sequence[str]) -> list[list[float]]:
        """Softmax over labels of the mean log-likelihood of the label's tokens (so long names are not punished).

        The prompt is read once for each text and its key-value cache shared by all labels.
        """
        self.model.eval()
        out: list[list[float]] = [[] for _ in texts]
        done = 0
        # Similar lengths together, and only so many encoded at a time that progress is seen and memory stays small.
        order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
        for start in range(0, len(order), at_once := max(1, ENCODED_AT_ONCE // len(self.labels))):
            for chosen, rows in self._in_batches([(i, texts[i]) for i in order[start : start + at_once]]):
                for i, row in zip(chosen, rows, strict=True):
                    top = max(row)
                    weights = [math.exp(v - top) for v in row]
                    out[i] = [w / sum(weights) for w in weights]
                done += len(chosen)
                self.report(done)
        return out

    def _in_batches(self, texts: Sequence[tuple[int, str]]) -> Iterator[tuple[list[int], list[list[float]]]]:
        """The numbers of some texts, and of each text the mean log-likelihood of every label; batch by batch."""
        limit = self._limit()
        encoded = {
            i: [self.codec.scored(self.prompt(text, self.labels), label, limit) for label in self.labels]
            for i, text in texts
        }
        longest = {i: max(len(ids) for ids, _ in row) for i, row in encoded.items()}
        order = sorted(encoded, key=lambda i: -longest[i])
        while order:
            size = max(1, CACHED_AT_ONCE // (len(self.labels) * max(1, longest[order[0]])))
            chosen, order = order[:size], order[size:]
            rows = [encoded[i] for i in chosen]
            yield chosen, self._label_scores(rows, [_shared(row) for row in rows])

    def _label_scores(self, encoded: list[list[tuple[list[int], list[bool]]]], shared: list[int]) -> list[list[float]]:
        """Mean log-likelihood of the counted tokens, for each text and label."""
        labels = len(self.labels)
        # The last shared token is read again with each label: what it predicts is the label's first token.
        prefixes = [row[0][0][: max(0, n - 1)] for row, n in zip(encoded, shared, strict=True)]
        tails = [ids[len(prefix) :] for row, prefix in zip(encoded, prefixes, strict=True) for ids, _ in row]
        flags = [counts[len(prefix) :] for row, prefix in zip(encoded, prefixes, strict=True) for _, counts in row]
        ids, mask = _pad([tail or [self.pad] for tail in tails], self.pad, "right", self.device)
        positions = torch.arange(ids.shape[1], device=ids.device)[None].repeat(len(ids), 1)
        cache = None
        if max(map(len, prefixes)):
            before, before_mask = _pad([p or [self.pad] for p in prefixes], self.pad, "right", self.device)
            before_mask *= torch.tensor([[bool(p)] for p in prefixes], device=before_mask.device)
            cache = self.model(input_ids=before, attention_mask=before_mask, use_cache=True).past_key_values
            cache.batch_repeat_interleave(labels)
            lengths = before_mask.sum(1).repeat_interleave(labels)
            positions = positions + lengths[:, None]
            mask = torch.cat([before_mask.repeat_interleave(labels, 0), mask], 1)
        logits = self.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=cache is not None,
        ).logits[:, :-1]
        likely = logits.float().log_softmax(-1).gather(-1, ids[:, 1:, None])[..., 0]
        scores = []
        for row, counted in zip(likely, flags, strict=True):
            kept = torch.tensor(counted[1:], dtype=torch.bool, device=row.device)
            values = row[: len(kept)][kept]
            scores.append(values.mean().item() if len(values) else 0.0)
        return [scores[i : i + labels] for i in range(0, len(scores), labels)]


class YesNoLikelihood(LabelLikelihood):
    """A base language model that is asked about each label by itself: the likelihood of "yes" against that of "no"."""

    ANSWERS = ("yes", "no")

    def classify(self, texts: Sequence[str]) -> list[list[float]]:
        """The probability of "yes" for each label, of the two answers."""
        columns = []
        for place, label in enumerate(self.labels):

            def prompt(text: str, _answers: Sequence[str], label: str = label) -> str:
                return self.prompt(text, (label,))

            def report(done: int, place: int = place) -> None:
                self.report((place * len(texts) + done) // len(self.labels))

            asked = LabelLikelihood(self.model, self.tokenizer, self.codec, self.ANSWERS, prompt, report)
            columns.append([row[0] for row in asked.classify(texts)])
        return [list(row) for row in zip(*columns, strict=True)]
