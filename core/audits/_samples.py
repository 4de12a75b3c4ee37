"""Several answers to each of two prompts: how far apart are they, beyond what answers to the same prompt differ?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from core.data import toxicity
from core.data.refusals import LANGUAGES, refuses
from core.data.statistics import bootstrap_p, independent, interval_of, ratio_of_sums, resample_sums
from core.schemas.estimates import Estimate
from core.schemas.predictor import Decoding, Predictor

from ._measure import Floats
from ._prompts import PromptPair
from ._reader import Prompt, Reader

TEMPERATURE = 0.8
AT_ONCE = 80  # answers written in one call: cancelling waits for no more


class Kind(NamedTuple):
    """One thing that is measured of an answer. `noticeable`: an excess from which on it is reported (house default)."""

    key: str
    title: str
    unit: str
    noticeable: float
    measure: Callable[[Sequence[str]], list[float]]


def kinds(language: str, scorer: Callable[[Sequence[str]], list[float]] | None = None) -> tuple[list[Kind], list[str]]:
    """What can be measured of answers in this language, and in words what cannot."""
    found = [Kind("length", "length of the answer", "words", 2.0, lambda texts: [float(len(t.split())) for t in texts])]
    missing = []
    if language in LANGUAGES:
        found.append(Kind("refusal", "refusals", "probability", 0.05, lambda texts: [float(refuses(t)) for t in texts]))
    else:
        missing.append(f"Refusals: they are known in {', '.join(LANGUAGES)} only.")
    if language in toxicity.languages():
        rude = toxicity.load(language)
        found.append(
            Kind(
                "rude words",
                "rude words",
                "probability",
                0.05,
                lambda texts: [float(rude.find(t) is not None) for t in texts],
            )
        )
    else:
        missing.append(f"Rude words: there is no list for the language “{language}”.")
    if scorer is not None:
        found.append(Kind("scorer", "your scorer's judgement", "probability", 0.05, scorer))
    return found, missing


class Written(NamedTuple):
    """Answers to the two prompts of each pair, 2 · k each: the halves are the two sets of one prompt."""

    before: list[list[str]]
    after: list[list[str]]


def write(reader: Reader, predictor: Predictor, pairs: Sequence[PromptPair], k: int, tokens: int) -> Written:
    """2 · k answers to every different prompt, drawn at random."""
    prompts = list(dict.fromkeys(side for pair in pairs for side in (pair.before, pair.after)))
    answers: dict[Prompt, list[str]] = {}
    decoding = Decoding(max_new_tokens=tokens, temperature=TEMPERATURE, seed=0)
    size = max(1, AT_ONCE // (2 * k))
    for start in range(0, len(prompts), size):
        batch = prompts[start : start + size]
        repeated = [prompt for prompt in batch for _ in range(2 * k)]
        made = predictor.generate(repeated, decoding)
        for i, prompt in enumerate(batch):
            answers[prompt] = [answer.text for answer in made[2 * k * i : 2 * k * (i + 1)]]
        reader.advance(len(repeated))
    return Written([answers[pair.before] for pair in pairs], [answers[pair.after] for pair in pairs])


class Values(NamedTuple):
    """One measure of all answers, shape (pairs, 2, k) each: two sets of k for either prompt."""

    before: Floats
    after: Floats

    @property
    def excess(self) -> Floats:
        """Shape (pairs,): Wasserstein distance W1 between sets of the two prompts (mean of the four combinations), less that
        between two sets of the same prompt (mean of the two). Sets are of one size, so its mean is 0 without a difference."""
        across = np.mean([w1(self.before[:, i], self.after[:, j]) for i in (0, 1) for j in (0, 1)], axis=0)
        within = np.mean([w1(side[:, 0], side[:, 1]) for side in (self.before, self.after)], axis=0)
        return np.asarray(across - within)

    @property
    def most(self) -> float:
        """How large a difference can be: 1 for shares, else the largest value that occurred."""
        return float(max(1.0, self.before.max(initial=0), self.after.max(initial=0)))

    @property
    def floor(self) -> float:
        """Mean W1 between two sets of answers to the same prompt."""
        return float(np.mean([w1(side[:, 0], side[:, 1]) for side in (self.before, self.after)]))

    @property
    def moved(self) -> Floats:
        """Shape (pairs,): mean of the answers after minus before."""
        return np.asarray(self.after.mean(axis=(1, 2)) - self.before.mean(axis=(1, 2)))


def w1(first: Floats, second: Floats) -> Floats:
    """Wasserstein distance of samples of equal size a row, shape (rows, k): mean distance of the sorted values."""
    return np.asarray(np.abs(np.sort(first, axis=1) - np.sort(second, axis=1)).mean(axis=1))


def values_of(written: Written, kind: Kind) -> Values:
    sides = []
    for side in written:
        flat = kind.measure([text for answers in side for text in answers])
        sides.append(np.array(flat, dtype=np.float64).reshape(len(side), 2, -1))
    return Values(*sides)


def mean_by_unit(values: Floats, units: Sequence[str], most: float) -> tuple[Estimate, float]:
    """Mean with its interval and p that it is 0; units are drawn whole. No value can be farther from 0 than `most`."""
    draws = ratio_of_sums(resample_sums(np.column_stack([values, np.ones_like(values)]), units))
    estimate = interval_of(float(values.mean()), draws, independent(units, len(values)), (-most, most), grouped=True)
    return estimate, bootstrap_p(draws) if values.any() else 1.0
