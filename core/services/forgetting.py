"""Forgetting: how likely the model finds general passages before and after the training, and what that means in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from core.data.statistics import MIN_ROWS, interval_of, ratio_of_sums, resample_sums, verdict
from core.metrics import registry as metrics
from core.schemas.estimates import Estimate
from core.schemas.forgetting import Forgetting, Outcome, Probe
from core.schemas.predictions import TextPrediction, TextPredictions
from core.schemas.predictor import Score
from core.store.config import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "assets" / "forgetting"
PROBES = {"en": "everyday English", "others": "German, French and Spanish"}
TOLERANCE = 0.05
"""Passages that became less than this much harder (in bits a byte) do not count as forgotten (house default)."""

PAIRS = (
    "A model that turns one text into another is not asked: it never learnt to continue a text by itself, so there is "
    "no likelihood of general passages to compare."
)
ENCODER = "This kind of base model cannot write text, so there is no likelihood of general passages to compare."
APART = (
    "Body and head of this model cannot be taken apart, so its body cannot be read through the base model's word head."
)
THROUGH_BASE = (
    "Your model has a head that judges in place of the one that writes words. So its body was read through the base model's "
    "own word head: what it lost there, a new task would have to learn again."
)

Scorer = Callable[[Sequence[str]], Sequence[Score]]


def passages() -> dict[str, list[str]]:
    """The texts of each probe; one passage between two blank lines of its file."""
    return {key: (FOLDER / f"{key}.txt").read_text("utf-8").strip().split("\n\n") for key in PROBES}


def all_passages() -> list[str]:
    return [text for texts in passages().values() for text in texts]


def measured(before: Sequence[Score], after: Sequence[Score], note: str = "") -> Forgetting:
    """From the scores of `all_passages()` by both models."""
    probes, start = [], 0
    for key, texts in passages().items():
        part = slice(start, start + len(texts))
        probes.append(_probe(key, texts, before[part], after[part]))
        start += len(texts)
    return Forgetting(probes=tuple(probes), note=note)


def _probe(key: str, texts: Sequence[str], before: Sequence[Score], after: Sequence[Score]) -> Probe:
    bits = metrics()["bits_per_byte"]
    base, tuned = (bits.compute(_predictions(texts, scores)) for scores in (before, after))
    assert base is not None and tuned is not None
    columns = np.array([(a.nll, b.nll) for b, a in zip(before, after, strict=True)], dtype=np.float64)
    if np.array_equal(columns[:, 0], columns[:, 1]):
        change = Estimate(value=0.0, n=len(texts), low=0.0, high=0.0, method="identical on every passage")
    else:
        samples = ratio_of_sums(resample_sums(columns)) - 1
        change = interval_of(tuned.value / base.value - 1, samples, len(texts), None, grouped=False)
    outcome = outcome_of(change)
    return Probe(
        key=key,
        title=PROBES[key],
        n=len(texts),
        base=base,
        tuned=tuned,
        change=change,
        verdict=verdict(change, higher_is_better=False),
        outcome=outcome,
        sentence=_sentence(PROBES[key], change, outcome),
    )


def _predictions(texts: Sequence[str], scores: Sequence[Score]) -> TextPredictions:
    items = (TextPrediction.of(str(i), "", t, score=s) for i, (t, s) in enumerate(zip(texts, scores, strict=True)))
    return TextPredictions(tuple(items))


def outcome_of(change: Estimate) -> Outcome:
    """Lost where the whole interval is worse than the tolerance, kept where all of it is better."""
    if change.n < MIN_ROWS or change.low is None or change.high is None:
        return "cannot tell"
    return "lost" if change.low > TOLERANCE else "kept" if change.high <= TOLERANCE else "cannot tell"


def _sentence(what: str, change: Estimate, outcome: Outcome) -> str:
    low, high = change.low or 0.0, change.high or 0.0
    between = f"{_percent(low)} to {_percent(high)}, {change.n} passages"
    if outcome == "lost":
        return f"It lost some of its {what}: ordinary passages surprise it {_percent(change.value)} more ({between})."
    if outcome == "cannot tell":
        return f"Whether it lost some of its {what} cannot be told: {_percent(change.value)} more surprise ({between})."
    if high < 0:
        return f"It did not lose its {what}: ordinary passages even surprise it {_percent(-change.value)} less ({between})."
    return f"It did not lose its {what}: ordinary passages surprise it {_percent(change.value)} more ({between})."


def _percent(share: float) -> str:
    shown = f"{100 * share:.0f}" if abs(share) >= 0.0995 else f"{100 * share:.1f}"
    return f"{0.0 if float(shown) == 0 else shown}%".replace("0.0%", "0%")
