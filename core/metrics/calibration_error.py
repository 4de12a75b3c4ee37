"""Expected calibration error: how far the model's confidence is from how often it is right."""

from __future__ import annotations

from math import sqrt

import numpy as np
from scipy.special import expit, logit, ndtr

from core.data.statistics import (
    bootstrap_p,
    degrees,
    group_sums,
    independent,
    interval_of,
    resample_sums,
    z_value,
)
from core.schemas.estimates import Estimate
from core.schemas.predictions import ClassPrediction, ClassPredictions

from ._base import CLASSIFIER, Change, Floats, Metric, common_groups, identical

BINS = 15
FEWEST_ROWS = 500
"""Below this many rows the figure is known only roughly (house default)."""
_GRID = np.linspace(0.0, 1.0, 301) ** 2  # errors that are tried, closer together near 0
_CONCENTRATED = 5  # bins that hold the whole error in the other extreme
_RATIOS = np.linspace(0.0, 8.0, 1601)


class CalibrationError(Metric):
    """15 bins of equally many rows by confidence (Nguyen & O'Connor 2015, EMNLP; the measure is that of Naeini 2015,
    AAAI). A mean of absolute values is never 0 by luck: a perfect model scores 11% on 60 rows. So the figure is the gap
    that, standing in every bin, would on average show as what was measured (the folded normal distribution; Kumar,
    Liang & Ma 2019, NeurIPS, correct the squared error in the same spirit). The interval holds all errors that would show
    as this by chance, its lower end also where the whole error sat in five of the bins. It errs to the safe side: it
    covers 95 to 99%. The noise of a bin is taken from how often the model is right there, smoothed by one shift of all
    confidences; where rows come in groups it is larger by their design effect.
    """

    key = "calibration_error"
    title = "Calibration error"
    help = (
        "How far its stated confidence is from how often it is right; at 0% it is right 8 times in 10 when 80% sure. What "
        "chance alone would show is taken off; the interval errs to the wide side."
    )
    higher_is_better = False
    format = "percent"
    families = CLASSIFIER
    bounds = (0.0, 1.0)
    order = 50

    def usable(self, item: ClassPrediction) -> bool:
        return bool(item.probabilities)

    def measure(self, predictions: ClassPredictions) -> Estimate:
        noise = _noise(predictions)
        shown = float(np.abs(_gaps(predictions).sum(axis=0)).sum()) / len(predictions)
        n = independent(predictions.groups, len(predictions))
        low, high = _interval(shown, noise)
        value = float(corrected(np.array([shown]), noise)[0])
        value = min(max(value, low), high)
        return Estimate(value=value, n=n, low=low, high=high, method="folded normal, 15 bins")

    def change(self, base: ClassPredictions, tuned: ClassPredictions) -> Change:
        """Paired bootstrap of both corrected figures, moved so that its middle is the difference itself."""
        groups, rows = common_groups(base, tuned), len(base)
        n = independent(groups, rows)
        first, second = _gaps(base), _gaps(tuned)
        if np.array_equal(first, second):
            return identical(n)
        noises = (_noise(base), _noise(tuned))
        units = np.hstack([first, second, np.ones((rows, 1))])
        units = units if groups is None else group_sums(units, groups)

        def difference(sums: Floats) -> Floats:
            shown = (np.abs(part).sum(axis=1) / sums[:, -1] for part in np.split(sums[:, :-1], 2, axis=1))
            before, after = (corrected(s, noise) for s, noise in zip(shown, noises, strict=True))
            return np.asarray(after - before)

        total = units.sum(axis=0, keepdims=True)
        value = float(difference(total)[0])
        samples = difference(resample_sums(units))
        samples = samples - np.median(samples) + value
        estimate = interval_of(
            value, samples, n, (-1.0, 1.0), groups is not None, df=degrees(difference(total - units), groups=groups)
        )
        return Change(estimate, bootstrap_p(samples), "paired bootstrap")

    def warning(self, predictions: ClassPredictions) -> str:
        n = len(self.keep_usable(predictions))
        if n >= FEWEST_ROWS:
            return ""
        return f"With {n} rows the calibration error is known only roughly; it takes {FEWEST_ROWS} to be trusted."


def corrected(shown: Floats, noise: Floats) -> Floats:
    """The even gap that on average shows as `shown` (the plain calibration error); `noise` is each bin's standard error."""
    typical = float(noise.mean())
    if typical <= 0:
        return shown
    ratio = shown / typical
    return np.where(ratio < _RATIOS[-1], typical * np.interp(ratio, _folded_mean(_RATIOS, np.ones(1)), _RATIOS), shown)


def _gaps(predictions: ClassPredictions) -> Floats:
    """Confidence minus correctness in the column of the row's bin: shape (rows, bins)."""
    confidence = predictions.matrix.max(axis=1)
    gaps = confidence - predictions.correct
    rows = np.zeros((len(gaps), BINS))
    for b, members in enumerate(np.array_split(np.argsort(confidence, kind="stable"), BINS)):
        rows[members, b] = gaps[members]
    return rows


def _noise(predictions: ClassPredictions) -> Floats:
    """Standard error of the gap of each bin, times the bin's weight and the number of bins: shape (bins,)."""
    confidence, right = predictions.matrix.max(axis=1), predictions.correct
    scores = logit(np.clip(confidence, 1e-6, 1 - 1e-6))
    target = (right.sum() + 0.5) / (len(right) + 1)
    shift = 0.0
    for _ in range(50):
        chances = expit(scores + shift)
        step = (target - chances.mean()) / max(float((chances * (1 - chances)).mean()), 1e-9)
        shift += min(2.0, max(-2.0, float(step)))
    spread = expit(scores + shift)
    spread = spread * (1 - spread)
    bins = np.array_split(np.argsort(confidence, kind="stable"), BINS)
    effect = 1.0
    if predictions.groups is not None:
        gaps = (confidence - right) - (confidence - right).mean()
        clustered = float(np.square(group_sums(gaps[:, None], predictions.groups)).sum())
        effect = max(1.0, clustered / max(float(np.square(gaps).sum()), 1e-12))
    return np.array([sqrt(effect * float(spread[b].sum())) for b in bins]) / len(right) * BINS


def _interval(shown: float, noise: Floats) -> tuple[float, float]:
    even = np.repeat(_GRID[:, None], BINS, axis=1)
    # Bins of middling noise: the noisiest and the quietest would be extremes of their own.
    middle = np.argsort(noise)[BINS // 2 - _CONCENTRATED // 2 :][:_CONCENTRATED]
    uneven = np.zeros_like(even)
    uneven[:, middle] = _GRID[:, None] * BINS / _CONCENTRATED
    lows, highs = [], []
    for gaps in (even, uneven):
        means = _folded_mean(gaps, noise)
        error = np.sqrt(np.maximum(gaps**2 + noise**2 - means**2, 0).sum(axis=1)) / BINS
        centre = means.mean(axis=1)
        lows.append(float(np.interp(shown, np.maximum.accumulate(centre + z_value() * error), _GRID, left=0.0)))
        highs.append(float(np.interp(shown, np.maximum.accumulate(centre - z_value() * error), _GRID, left=0.0)))
    return min(lows), max(highs[0], min(lows))


def _folded_mean(gaps: Floats, noise: Floats) -> Floats:
    """Mean of |gap + noise * Z| (Leone, Nelson & Nottingham 1961, Technometrics 3:543)."""
    scale = np.maximum(noise, 1e-12)
    ratio = gaps / scale
    return np.asarray(scale * sqrt(2 / np.pi) * np.exp(-(ratio**2) / 2) + gaps * (1 - 2 * ndtr(-ratio)))


PLUGIN = CalibrationError()
