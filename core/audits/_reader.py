"""Has a model read many texts: each different one once, texts of similar length together, and counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from core.schemas.examples import Message
from core.schemas.predictor import Predictor, Score

Floats = NDArray[np.float64]
BATCH = 128
Prompt = str | tuple[Message, ...]
Read = TypeVar("Read", str, tuple[Prompt, str])


def _length(text: str | tuple[Prompt, str]) -> int:
    if isinstance(text, str):
        return len(text)
    prompt, answer = text
    asked = prompt if isinstance(prompt, str) else "".join(message.content for message in prompt)
    return len(asked) + len(answer)


class Reader:
    """Has a model read many texts in batches, each different text once, and counts the passes."""

    def __init__(self, progress: Callable[[int, int], None], total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def classify(self, predictor: Predictor, texts: Sequence[str]) -> dict[str, Floats]:
        unique = list(dict.fromkeys(texts))
        found: dict[str, Floats] = {}
        for batch in self._batches(unique):
            for text, probabilities in zip(batch, predictor.classify(batch), strict=True):
                found[text] = np.asarray(probabilities, dtype=np.float64)
            self.advance(len(batch))
        return found

    def bits_per_byte(
        self, predictor: Predictor, texts: Sequence[tuple[Prompt, str]]
    ) -> dict[tuple[Prompt, str], float]:
        """Of each (prompt, answer) how many bits the model needs for a byte of the answer."""
        return {
            key: score.nll / (np.log(2) * score.n_bytes)
            for key, score in self.scores(predictor, texts).items()
            if score.tokens and score.n_bytes
        }

    def log_likelihoods(self, predictor: Predictor, texts: Sequence[tuple[Prompt, str]]) -> Floats:
        """Natural log-likelihood of each answer after its prompt, shape (texts,)."""
        found = self.scores(predictor, texts)
        return np.array([-found[text].nll for text in texts])

    def scores(self, predictor: Predictor, texts: Sequence[tuple[Prompt, str]]) -> dict[tuple[Prompt, str], Score]:
        unique = list(dict.fromkeys(texts))
        found: dict[tuple[Prompt, str], Score] = {}
        for batch in self._batches(unique):
            found.update(
                zip(
                    batch,
                    predictor.score([prompt for prompt, _ in batch], [answer for _, answer in batch]),
                    strict=True,
                )
            )
            self.advance(len(batch))
        return found

    @staticmethod
    def _batches(unique: Sequence[Read]) -> list[list[Read]]:
        """Texts of similar length together, so that little padding is read; the slowest first, so that the time left is
        not guessed too small."""
        ordered = sorted(unique, key=_length, reverse=True)
        return [ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH)]

    def advance(self, passes: int) -> None:
        self._done += passes
        self._progress(self._done, self._total)
