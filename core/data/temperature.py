"""Temperature scaling: one number that makes a model's confidence fit how often it is right (Guo et al. 2017, ICML)."""

from __future__ import annotations

from math import exp, log

import numpy as np
from numpy.typing import NDArray

from core.schemas.predictions import ClassPrediction, ClassPredictions

Floats = NDArray[np.float64]
FEWEST = 50
"""Validation rows below which no temperature is fitted (house default): it would be mostly luck."""
_LEAST, _GREATEST = 0.05, 20.0
_TINY = 1e-12


def fit(predictions: ClassPredictions) -> float | None:
    """The temperature with the least log loss on these rows, which must not be those that it is judged by. Above 1 the
    model was too sure. None for fewer than `FEWEST` rows whose right class the model knows."""
    place = {label: k for k, label in enumerate(predictions.labels)}
    known = [i for i, item in enumerate(predictions.items) if item.gold in place]
    if not predictions.has_probabilities or len(known) < FEWEST:
        return None
    logits = np.log(np.maximum(predictions.matrix[known], _TINY))
    right = np.array([place[predictions.items[i].gold] for i in known])

    def loss(scale: float) -> float:
        scaled = logits / exp(scale)
        top = scaled.max(axis=1)
        total = top + np.log(np.exp(scaled - top[:, None]).sum(axis=1))
        return float((total - scaled[np.arange(len(right)), right]).mean())

    from scipy.optimize import minimize_scalar

    found = minimize_scalar(loss, bounds=(log(_LEAST), log(_GREATEST)), method="bounded", options={"xatol": 1e-4})
    return float(exp(found.x))


def scaled(predictions: ClassPredictions, temperature: float) -> ClassPredictions:
    """The same predictions with their confidence mended; which class is likeliest never changes."""
    logits = np.log(np.maximum(predictions.matrix, _TINY)) / temperature
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return ClassPredictions(
        predictions.labels,
        tuple(
            ClassPrediction(item.row_id, item.gold, item.predicted, tuple(row), item.group)
            for item, row in zip(predictions.items, shares.tolist(), strict=True)
        ),
    )
