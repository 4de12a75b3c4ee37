"""The torch-free view of a model that evaluations, reviews and audits use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .base import Schema
from .examples import Message


class Decoding(Schema):
    """How text is generated. `temperature` 0 means greedy."""

    max_new_tokens: int = 128
    temperature: float = 0.0
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    seed: int = 0


class Generation(Schema):
    """`finished` is False where the token limit cut the answer."""

    text: str
    tokens: int
    finished: bool


class Score(Schema):
    """Likelihood of one text: `nll` in nats summed over `tokens` scored tokens, of which `correct` were the model's
    first choice, spelling `n_bytes` UTF-8 bytes."""

    nll: float
    tokens: int
    correct: int
    n_bytes: int


class Predictor(Protocol):
    """A loaded model. One with labels implements `classify`, one that predicts numbers `values`, one that writes `generate`
    and `score`. `thresholds` are the probabilities from which each label is given, where any number of them may be; empty:
    one half."""

    labels: Sequence[str]
    thresholds: Sequence[float]

    def classify(self, texts: Sequence[str]) -> list[list[float]]:
        """Probabilities, one list a text, in the order of `labels`: of one label (they sum to 1), or each by itself."""
        ...

    def values(self, texts: Sequence[str]) -> list[float]:
        """One number a text, in the person's own units."""
        ...

    def generate(self, prompts: Sequence[Sequence[Message] | str], decoding: Decoding) -> list[Generation]:
        """Answer conversations, or continue plain texts."""
        ...

    def score(self, prompts: Sequence[Sequence[Message] | str], answers: Sequence[str]) -> list[Score]:
        """Likelihood of each answer after its prompt (an empty string as prompt scores the whole text)."""
        ...
