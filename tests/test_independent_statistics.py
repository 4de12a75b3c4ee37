"""Shares, paired tests, corrections and powers on random inputs, held against statsmodels and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats import contingency_tables, multitest, power, proportion

from core.data import statistics as s

RNG = np.random.default_rng(7)


@pytest.mark.parametrize("seed", range(10))
def test_a_share_agrees_with_statsmodels(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(10, 500))
    k = int(rng.integers(4, n - 3))  # with fewer on one side ours errs to the safe side, see test_statistics.py
    low, high = proportion.proportion_confint(k, n, method="wilson")
    found = s.wilson(k, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_a_difference_of_shares_agrees_with_statsmodels(seed):
    rng = np.random.default_rng(seed)
    n, m = (int(v) for v in rng.integers(10, 300, 2))
    a, b = int(rng.integers(0, n + 1)), int(rng.integers(0, m + 1))
    low, high = proportion.confint_proportions_2indep(a, n, b, m, method="newcomb")
    found = s.newcombe_difference(a, n, b, m)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_mcnemar_and_the_sign_test_agree_with_statsmodels_and_scipy(seed):
    both, only_base, only_tuned, neither = (int(v) for v in np.random.default_rng(seed).integers(0, 60, 4))
    reference = contingency_tables.mcnemar([[both, only_base], [only_tuned, neither]], exact=True).pvalue
    assert s.mcnemar(only_base, only_tuned) == pytest.approx(min(1.0, reference), abs=1e-12)
    if only_base + only_tuned:
        sign = stats.binomtest(only_tuned, only_base + only_tuned).pvalue
        assert s.sign_test(only_tuned, only_base) == pytest.approx(sign, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_the_correction_for_many_questions_agrees_with_statsmodels(seed):
    p = np.random.default_rng(seed).random(40) ** 3
    assert s.benjamini_hochberg(p.tolist()) == pytest.approx(multitest.multipletests(p, method="fdr_bh")[1])


@pytest.mark.parametrize(("share", "other"), [(0.1, 0.2), (0.5, 0.6), (0.8, 0.9), (0.3, 0.33)])
def test_rows_a_group_reach_the_power_that_they_are_planned_for(share, other):
    n = s.rows_per_group(share, other)
    assert s.cohens_h(share, other) == pytest.approx(proportion.proportion_effectsize(share, other))
    reached = power.NormalIndPower().power(s.cohens_h(share, other), n, 0.05)
    assert reached == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize("seed", range(4))
def test_a_mean_of_groups_spreads_as_in_a_grouped_regression(seed):
    """The bootstrap's width is that of a clustered standard error with Student's t (statsmodels), within its own noise."""
    import statsmodels.api as sm

    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(40), 5)
    y = rng.normal(size=40)[groups] + rng.normal(size=200)
    fitted = sm.OLS(y, np.ones_like(y)).fit(cov_type="cluster", cov_kwds={"groups": groups})
    low, high = fitted.conf_int()[0]
    found = s.bootstrap_mean(y, groups.tolist())
    assert found.value == pytest.approx(y.mean())
    assert found.high - found.low == pytest.approx((high - low) * stats.t.ppf(0.975, 39) / 1.96, rel=0.1)
