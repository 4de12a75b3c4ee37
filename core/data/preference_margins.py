"""How strongly a contender puts one answer before another, from likelihoods: rewards, plain order, and mere length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.schemas.examples import Example
from core.schemas.predictions import TextPrediction, TextPredictions


def by_likelihood(predictions: TextPredictions) -> TextPredictions:
    """A model by itself: log p(better) - log p(worse); for a rated answer the mean log-likelihood of its tokens."""
    return TextPredictions(tuple(replace(item, margin=_own(item)) for item in predictions.items))


def by_reward(tuned: TextPredictions, start: TextPredictions) -> TextPredictions:
    """What training has changed: the implicit reward (over beta) of the better answer less that of the worse one, or that
    of the rated answer. Rewards are log p(tuned) - log p(start) (Rafailov et al. 2023, eq. 5)."""
    before = {item.row_id: item for item in start.items}
    return TextPredictions(tuple(replace(item, margin=_gain(item, before[item.row_id])) for item in tuned.items))


def longer(examples: Sequence[Example]) -> TextPredictions:
    """The rule "the longer answer is better", in characters. Where both are of one length it is given the point."""
    return TextPredictions(tuple(_by_length(example) for example in examples))


def _own(item: TextPrediction) -> float | None:
    if item.nll is None:
        return None
    if item.rejected_nll is not None:
        return item.rejected_nll - item.nll
    return -item.nll / max(1, item.scored_tokens)


def _gain(after: TextPrediction, before: TextPrediction) -> float | None:
    if after.nll is None or before.nll is None:
        return None
    gained = before.nll - after.nll
    if after.rejected_nll is None or before.rejected_nll is None:
        return gained
    return gained - (before.rejected_nll - after.rejected_nll)


def _by_length(example: Example) -> TextPrediction:
    plain = TextPrediction.of(example.row_id, example.prompt, example.reference)
    margin = float(len(example.reference) - len(example.rejected)) or 0.5
    return replace(plain, rejected=example.rejected, liked=example.liked, margin=margin)
