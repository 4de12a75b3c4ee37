"""Predictions of made-up models, for the tests of metrics and comparisons."""

from __future__ import annotations

import numpy as np

from core.schemas.predictions import ClassPrediction, ClassPredictions, TextPrediction, TextPredictions

LABELS = ("billing", "delivery", "refund", "technical")


def classified(accuracy: float, n: int = 400, seed: int = 0, groups: int = 0) -> ClassPredictions:
    """Noisy predictions of a made-up classifier that is right about this often; gold labels depend on the row alone."""
    gold = np.random.default_rng(99).choice(4, size=n, p=[0.5, 0.3, 0.15, 0.05])
    rng = np.random.default_rng(seed)
    said = np.where(rng.random(n) < accuracy, gold, rng.integers(0, 4, n))
    scores = rng.dirichlet([1] * 4, size=n)
    scores[np.arange(n), said] += 1
    rows = scores / scores.sum(axis=1, keepdims=True)
    items = [
        ClassPrediction(
            f"r{i}", LABELS[gold[i]], LABELS[int(rows[i].argmax())], tuple(rows[i]), f"t{i % groups}" if groups else ""
        )
        for i in range(n)
    ]
    return ClassPredictions(LABELS, tuple(items))


def named(*pairs: tuple[str, str]) -> ClassPredictions:
    """Predictions without probabilities from (gold, predicted)."""
    items = [ClassPrediction(f"r{i}", gold, said) for i, (gold, said) in enumerate(pairs)]
    return ClassPredictions(tuple(sorted({said for _, said in pairs})), tuple(items))


def written(*pairs: tuple[str, str], prompts: bool = True) -> TextPredictions:
    """Answers without likelihood from (text, reference)."""
    items = [
        TextPrediction(f"r{i}", f"question {i}" if prompts else "", reference, text, finished=True)
        for i, (text, reference) in enumerate(pairs)
    ]
    return TextPredictions(tuple(items))


def scored(losses: np.ndarray, tokens: int = 10, correct: int = 4, n_bytes: int = 40) -> TextPredictions:
    items = [
        TextPrediction(
            f"r{i}",
            f"question {i}",
            "r",
            nll=loss * tokens,
            scored_tokens=tokens,
            correct_tokens=correct,
            n_bytes=n_bytes,
        )
        for i, loss in enumerate(losses.tolist())
    ]
    return TextPredictions(tuple(items))
