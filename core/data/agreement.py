"""How far several raters agree beyond chance: Krippendorff's alpha for categories and for ordered values."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Literal

import numpy as np

from core.schemas.estimates import Estimate

from .stats_bootstrap import Floats, interval_of, no_variation, resample_sums

Level = Literal["nominal", "ordinal"]
RELIABLE = 0.8
TENTATIVE = 0.667
"""From `RELIABLE` on conclusions may rest on the ratings, from `TENTATIVE` on only with care (Krippendorff 2004, Content
Analysis, chapter 11)."""
BOUNDS = (-1.0, 1.0)


def krippendorff(
    ratings: Sequence[Sequence[Hashable | None]],
    level: Level = "ordinal",
    order: Sequence[Hashable] | None = None,
    seed: int = 0,
) -> Estimate | None:
    """Alpha over items: 1 is full agreement, 0 what chance gives, below 0 less than that.

    `ratings` has the shape (items, raters), None where a rater did not judge the item; items with fewer than two
    judgements tell nothing and are left out (`n` counts the others). `order` lists the values from least to greatest
    (default: sorted). None where no item was judged twice or all judgements are the same value, for which alpha is not
    defined. The interval resamples items (Hayes & Krippendorff 2007, Communication Methods and Measures 1:77).
    Raises ValueError for a value that is not in `order`.
    """
    judged = [[value for value in item if value is not None] for item in ratings]
    judged = [item for item in judged if len(item) > 1]
    values = _values(judged, order)
    if not judged or len({value for item in judged for value in item}) < 2:
        return None
    pairs = np.stack([_coincidences([values[v] for v in item], len(values)).ravel() for item in judged])
    value = float(_alpha(pairs.sum(axis=0, keepdims=True), len(values), level)[0])
    if value >= 1 - 1e-12:
        return no_variation(1.0, len(judged), BOUNDS)
    kinds, counts = np.unique(pairs, axis=0, return_counts=True)
    samples = _alpha(resample_sums(kinds, multiplicity=counts, seed=seed), len(values), level)
    return interval_of(value, samples[np.isfinite(samples)], len(judged), BOUNDS)


def reading(alpha: Estimate) -> Literal["reliable", "tentative", "unreliable"]:
    """What may be built on ratings with this agreement."""
    return "reliable" if alpha.value >= RELIABLE else "tentative" if alpha.value >= TENTATIVE else "unreliable"


def _values(judged: Sequence[Sequence[Any]], order: Sequence[Hashable] | None) -> dict[Any, int]:
    seen = {value for item in judged for value in item}
    ordered = list(dict.fromkeys(order)) if order is not None else sorted(seen)
    if not seen <= set(ordered):
        raise ValueError(f"values {sorted(map(str, seen - set(ordered)))} are not among {ordered}")
    return {value: place for place, value in enumerate(ordered)}


def _coincidences(codes: Sequence[int], kinds: int) -> Floats:
    """Ordered pairs of values within one item, each item weighing as much as it has judgements; shape (kinds, kinds)."""
    counts = np.bincount(codes, minlength=kinds).astype(np.float64)
    return (np.outer(counts, counts) - np.diag(counts)) / (len(codes) - 1)


def _alpha(sums: Floats, kinds: int, level: Level) -> Floats:
    """From summed coincidences, shape (draws, kinds * kinds), to alpha, shape (draws,); NaN where it is not defined."""
    seen = sums.reshape(-1, kinds, kinds)
    totals = seen.sum(axis=2)
    distance = _ordinal(totals) if level == "ordinal" else np.broadcast_to(1 - np.eye(kinds), seen.shape)
    observed = (seen * distance).sum(axis=(1, 2))
    products = totals[:, :, None] * totals[:, None, :]
    # A value never meets itself here: its distance from itself is 0 on every scale.
    expected = (products * distance).sum(axis=(1, 2)) / np.maximum(totals.sum(axis=1) - 1, 1)
    known = expected > 0
    return np.where(known, 1 - observed / np.where(known, expected, 1.0), np.nan)


def _ordinal(totals: Floats) -> Floats:
    """Squared distance of two ranks: the judgements that lie between the two values, their own counting half."""
    middle = np.cumsum(totals, axis=1) - totals / 2
    return np.square(middle[:, :, None] - middle[:, None, :])
