"""The one door to the statistics: shares, tests, resampling, sample sizes, and what a measured change may be called."""

from __future__ import annotations

from core.schemas.estimates import Estimate, Verdict

from .stats_bootstrap import (
    DRAWS,
    bootstrap,
    bootstrap_mean,
    bootstrap_p,
    expanded,
    group_sums,
    independent,
    interval_of,
    no_variation,
    paired_bootstrap,
    ratio_of_sums,
    resample_sums,
)
from .stats_degrees import degrees, even
from .stats_power import decisive_votes, margin, rows_for_margin, rows_per_group, rows_to_decide, smallest_difference
from .stats_proportions import LEVEL, cohens_h, newcombe_difference, newcombe_paired, wilson, wilson_by_group, z_value
from .stats_tests import benjamini_hochberg, mcnemar, sign_test

__all__ = [
    "DRAWS",
    "LEVEL",
    "MIN_ROWS",
    "benjamini_hochberg",
    "bootstrap",
    "bootstrap_mean",
    "bootstrap_p",
    "cohens_h",
    "decisive_votes",
    "degrees",
    "even",
    "expanded",
    "group_sums",
    "independent",
    "interval_of",
    "margin",
    "mcnemar",
    "newcombe_difference",
    "newcombe_paired",
    "no_variation",
    "paired_bootstrap",
    "ratio_of_sums",
    "resample_sums",
    "rows_for_margin",
    "rows_per_group",
    "rows_to_decide",
    "sign_test",
    "smallest_difference",
    "verdict",
    "wilson",
    "wilson_by_group",
    "z_value",
]

MIN_ROWS = 30
"""Fewest independent examples for any verdict (house default): below it a share is known to no better than 17 points
and percentile intervals are too narrow."""


def verdict(change: Estimate, higher_is_better: bool, n: int | None = None, min_n: int = MIN_ROWS) -> Verdict:
    """What a change of tuned minus base may be called; `n` is the number of independent examples, else `change.n`.

    Too few examples or no interval: not enough data. The interval holds 0: no evidence. Else better or worse.
    """
    if change.low is None or change.high is None or (change.n if n is None else n) < min_n:
        return Verdict.NOT_ENOUGH_DATA
    if change.low <= 0 <= change.high:
        return Verdict.NO_EVIDENCE
    return Verdict.BETTER if (change.low > 0) == higher_is_better else Verdict.WORSE
