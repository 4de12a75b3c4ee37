"""A model that reads each different text once, however many audits ask about it."""

from __future__ import annotations

from collections.abc import Sequence

from core.schemas.examples import Message
from core.schemas.predictor import Decoding, Generation, Predictor, Score

Prompt = str | tuple[Message, ...]


class Remembering:
    """A predictor in front of another one. Answers that are drawn at random are not kept."""

    def __init__(self, model: Predictor) -> None:
        self._model = model
        self._classes: dict[str, list[float]] = {}
        self._scores: dict[tuple[Prompt, str], Score] = {}
        self.labels: Sequence[str] = model.labels
        self.thresholds: Sequence[float] = model.thresholds

    def classify(self, texts: Sequence[str]) -> list[list[float]]:
        new = [text for text in dict.fromkeys(texts) if text not in self._classes]
        if new:
            self._classes.update(zip(new, self._model.classify(new), strict=True))
        return [self._classes[text] for text in texts]

    def score(self, prompts: Sequence[Sequence[Message] | str], answers: Sequence[str]) -> list[Score]:
        keys = [(p if isinstance(p, str) else tuple(p), a) for p, a in zip(prompts, answers, strict=True)]
        new = [key for key in dict.fromkeys(keys) if key not in self._scores]
        if new:
            read = self._model.score([prompt for prompt, _ in new], [answer for _, answer in new])
            self._scores.update(zip(new, read, strict=True))
        return [self._scores[key] for key in keys]

    def values(self, texts: Sequence[str]) -> list[float]:
        return self._model.values(texts)

    def generate(self, prompts: Sequence[Sequence[Message] | str], decoding: Decoding) -> list[Generation]:
        return self._model.generate(prompts, decoding)
