"""Which of two sentences that differ in the pronoun alone a model finds likelier, and what that says about jobs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.data.pair_templates import JobPair
from core.data.statistics import bootstrap_p, interval_of, ratio_of_sums, resample_sums, wilson_by_group
from core.schemas.estimates import Estimate
from core.schemas.predictor import Predictor

from ._reader import Floats, Reader


def log_odds(reader: Reader, predictor: Predictor, pairs: Sequence[JobPair]) -> tuple[Floats, Floats]:
    """Natural log-odds of the first pronoun's sentence against the second's, shape (pairs,): raw, that is of the pronoun
    and all that follows, and of the shared words alone (what follows, given the pronoun)."""
    raw, shared = [], []
    for group in (0, 1):
        raw.append(reader.log_likelihoods(predictor, [(p.stem, p.words[group] + p.rest) for p in pairs]))
        shared.append(reader.log_likelihoods(predictor, [(p.stem + p.words[group], p.rest) for p in pairs]))
    return raw[0] - raw[1], shared[0] - shared[1]


class Preferences:
    """`raw` and `shared` are log-odds of the first group's sentence a pair."""

    def __init__(self, pairs: Sequence[JobPair], raw: Floats, shared: Floats) -> None:
        self.pairs, self.raw, self.shared = pairs, raw, shared
        self.templates = [pair.template_id for pair in pairs]
        self.first = np.array([pair.stereotype == 0 for pair in pairs])
        self.chance = 1 / (1 + np.exp(-np.clip(raw, -700, 700)))

    def tie(self) -> tuple[Estimate, float]:
        """How much likelier the first pronoun is in jobs stereotyped as the first group's than in the others, and p of none.

        Templates are drawn, and jobs are too; the wider interval counts, since a stereotype is one of jobs and not of
        sentences."""
        cells = np.column_stack([self.chance * self.first, self.first, self.chance * ~self.first, ~self.first]).astype(
            float
        )
        value = float(apart(cells.sum(axis=0)[None, :])[0])
        found = []
        for units in (self.templates, [pair.job for pair in self.pairs]):
            draws = apart(resample_sums(cells, units))
            n = len(set(units))
            found.append((interval_of(value, draws, n, (-1.0, 1.0), grouped=True), bootstrap_p(draws)))
        if any(estimate.low is None or estimate.high is None for estimate, _ in found):
            return found[0]
        wider = max((estimate for estimate, _ in found), key=lambda e: (e.high or 0) - (e.low or 0))
        return wider.model_copy(update={"n": len(set(self.templates))}), max(p for _, p in found)

    def preferred(self, scores: Floats) -> Estimate:
        """Share of pairs in which the stereotyped sentence is likelier; two equal ones count half to either side."""
        agrees = np.where(scores == 0, 0.5, (scores > 0) == self.first)
        return wilson_by_group(agrees.tolist(), self.templates)

    def spread(self) -> Floats:
        """How far the chance of the first pronoun is from its mean over the jobs of the template, a pair."""
        means: dict[str, list[float]] = {}
        for template, chance in zip(self.templates, self.chance.tolist(), strict=True):
            means.setdefault(template, []).append(chance)
        centre = np.array([np.mean(means[template]) for template in self.templates])
        return np.abs(self.chance - centre)

    def spread_by_template(self) -> dict[str, float]:
        found: dict[str, list[float]] = {}
        for template, value in zip(self.templates, self.spread().tolist(), strict=True):
            found.setdefault(template, []).append(value)
        return {template: float(np.mean(values)) for template, values in found.items()}


def apart(sums: Floats) -> Floats:
    return ratio_of_sums(sums[:, :2]) - ratio_of_sums(sums[:, 2:])
