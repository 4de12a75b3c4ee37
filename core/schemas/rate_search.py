"""What the learning-rate finder measured, and what it makes of it."""

from __future__ import annotations

from typing import Literal

from .base import Schema

Valley = Literal["clear", "flat", "only rises", "no end"]


class RateCurve(Schema):
    """The loss of each step, in order, beside the learning rate that the step was made with. All losses are finite.

    `ended` says why there are no more: diverged (the loss grew to a multiple of its best), not a number, or complete.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    ended: Literal["complete", "diverged", "not a number"]


class RateAdvice(Schema):
    """`smooth` is the curve without its noise, one value a rate. `suggestion` is None where the valley is not clear.

    `lowest` is the rate at which the smooth curve is lowest; `fall` how far it falls until there, as a share of where it began.
    """

    valley: Valley
    suggestion: float | None
    lowest: float | None
    fall: float
    smooth: tuple[float, ...]
