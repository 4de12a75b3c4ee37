"""Read a learning-rate test: where the loss falls, where it is lowest, and which rate to use, or that no rate stands out.

The test is Smith 2017 ("Cyclical learning rates for training neural networks", WACV, section 3.3): train a little while the
rate grows exponentially. The suggestion is a tenth of the rate with the lowest loss (Gugger 2018, "How do you find a good
learning rate"; fastai's `minimum`): at the lowest point itself the training is already about to break. The point of steepest
descent, the other common choice, is a derivative and jumps with the noise of small batches.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.schemas.rate_search import RateAdvice, RateCurve, Valley

LOWEST, HIGHEST = 1e-6, 0.1
STEPS = 120
DIVERGED = 4.0  # times the best smoothed loss: fastai's rule
MEMORY = 0.9  # of the running mean while the test runs
WIDTH = 0.2  # decades: standard deviation of the centred smoothing
LEAST_FALL = 0.02  # of the first loss; a curve that falls less has no valley
LEAST_NOISE = 4.0  # standard errors that the fall must exceed
RISE = 0.02  # of the first loss, beyond the lowest point: else the lowest point is just the end


def rates(steps: int = STEPS) -> list[float]:
    """The rate of each step, from LOWEST to HIGHEST in equal factors."""
    return [float(r) for r in np.geomspace(LOWEST, HIGHEST, steps)]


class Stop:
    """The rule that ends the test: the running mean of the loss is more than 4 times its best, or no number."""

    def __init__(self) -> None:
        self._sum = self._mass = 0.0
        self._best = math.inf

    def see(self, loss: float) -> str:
        """`diverged`, `not a number`, or an empty text to go on."""
        if not math.isfinite(loss):
            return "not a number"
        self._sum = MEMORY * self._sum + (1 - MEMORY) * loss
        self._mass = MEMORY * self._mass + (1 - MEMORY)
        mean = self._sum / self._mass
        self._best = min(self._best, mean)
        return "diverged" if mean > DIVERGED * self._best else ""


def read(curve: RateCurve) -> RateAdvice:
    """What the curve says. Fewer than ten points say nothing."""
    losses = np.array(curve.losses, dtype=float)
    if len(losses) < 10:
        return RateAdvice(valley="only rises", suggestion=None, lowest=None, fall=0.0, smooth=curve.losses)
    places = np.log10(np.array(curve.rates, dtype=float))
    begin = _beginning(places, losses)
    # The last, wild steps would pull the smooth curve up well before the rate at which they happen.
    ceiling = begin + max(0.5 * (begin - float(losses.min())), 0.25 * abs(begin))
    smooth, error = _smoothed(places, np.minimum(losses, ceiling))
    lowest = int(np.argmin(smooth))
    fall = float((begin - smooth[lowest]) / max(abs(begin), 1e-12))
    noise = LEAST_NOISE * error / max(abs(begin), 1e-12)
    rise = float((smooth[-1] - smooth[lowest]) / max(abs(begin), 1e-12))
    valley: Valley
    if fall < max(LEAST_FALL, noise) or places[lowest] <= places[0] + 1:  # lowest where no step mattered yet
        grew = float((smooth[-1] - begin) / max(abs(begin), 1e-12))
        valley = "only rises" if curve.ended != "complete" or grew > max(LEAST_FALL, noise) else "flat"
    elif curve.ended == "complete" and rise < RISE:
        valley = "no end"
    else:
        valley = "clear"
    return RateAdvice(
        valley=valley,
        suggestion=_two_digits(curve.rates[lowest] / 10) if valley == "clear" else None,
        lowest=curve.rates[lowest],
        fall=fall,
        smooth=tuple(float(v) for v in smooth),
    )


def _smoothed(places: NDArray[np.float64], losses: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Centred means with a Gaussian weight over the logarithm of the rate, and the standard error of such a mean.

    Centred, because a running mean lags: with the memory of the stop rule the lowest point would move up by half a decade.
    The noise is told from differences of neighbours, which the slope of the curve hardly touches (von Neumann 1941); the
    median keeps the last, wild steps out of it.
    """
    weights = np.exp(-0.5 * ((places[:, None] - places[None, :]) / WIDTH) ** 2)
    weights /= weights.sum(axis=1, keepdims=True)
    noise = float(np.median(np.abs(np.diff(losses)))) / (0.6745 * math.sqrt(2))
    return weights @ losses, noise * float(np.sqrt(np.max(np.sum(weights**2, axis=1))))


def _beginning(places: NDArray[np.float64], losses: NDArray[np.float64]) -> float:
    """The loss before anything was learned: the mean over the first decade, where steps are too small to matter."""
    return float(np.mean(losses[places <= places[0] + 1]))


def _two_digits(rate: float) -> float:
    return float(f"{rate:.2g}")


def _plain(rate: float, digits: int = 2) -> str:
    """A rate as the form shows it: 2e-5, 0.0012."""
    if rate >= 1e-3:
        return f"{rate:.{digits}g}"
    mantissa, exponent = f"{rate:.{digits - 1}e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def words(advice: RateAdvice, steps: Sequence[float]) -> str:
    """What was found, in plain language."""
    if advice.suggestion is not None and advice.lowest is not None:
        return (
            f"The loss fell by {advice.fall:.0%} until the rate was about {_plain(advice.lowest, 1)}; beyond that the steps "
            f"became too large. A tenth of it, {_plain(advice.suggestion)}, is a cautious start: "
            "a higher one may learn better, which a sweep around it can tell."
        )
    if advice.valley == "no end":
        return (
            f"The loss kept falling up to the highest rate that was tried ({_plain(max(steps))}), so the test did not find where "
            "it becomes too much. No rate is suggested: keep the one of the preset."
        )
    if advice.valley == "only rises":
        return (
            "The loss never fell before it rose: in so few steps nothing was learned at any rate. No rate is suggested. "
            "Keep the preset, or try a larger batch: single batches may differ too much."
        )
    return (
        "The loss stayed level at every rate: the differences are no larger than those from batch to batch. No rate is "
        "suggested. Keep the preset, or try a larger batch."
    )
