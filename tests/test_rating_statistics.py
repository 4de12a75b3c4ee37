"""Agreement between raters, Bradley-Terry and the win rate at equal length, held against independent libraries."""

from __future__ import annotations

import choix
import krippendorff
import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from core.data import agreement, bradley_terry, equal_length, logistic


def made_up_ratings(seed: int, items: int = 40, raters: int = 4, values: int = 5, missing: float = 0.3) -> np.ndarray:
    """Noisy judgements of one true value an item, NaN where a rater left it out; shape (items, raters)."""
    rng = np.random.default_rng(seed)
    true = rng.integers(1, values + 1, size=(items, 1))
    given = np.clip(true + rng.integers(-1, 2, size=(items, raters)), 1, values).astype(float)
    given[rng.random(given.shape) < missing] = np.nan
    return given


def listed(ratings: np.ndarray) -> list[list[float | None]]:
    return [[None if np.isnan(v) else float(v) for v in item] for item in ratings]


@pytest.mark.parametrize("level", ["nominal", "ordinal"])
@pytest.mark.parametrize("seed", range(8))
def test_alpha_agrees_with_the_krippendorff_package(level, seed):
    ratings = made_up_ratings(seed, items=15 + 10 * seed, raters=2 + seed % 4)
    reference = krippendorff.alpha(reliability_data=ratings.T, level_of_measurement=level)
    found = agreement.krippendorff(listed(ratings), level)
    assert found.value == pytest.approx(reference, abs=1e-12)
    assert found.low < found.value < found.high
    assert found.n == int((np.isfinite(ratings).sum(axis=1) > 1).sum())


def test_alpha_of_words_follows_the_order_that_is_given():
    items = [("bad", "fair"), ("fair", "good"), ("good", "good"), ("bad", "bad"), ("good", "fair")] * 4
    places = {"bad": 0, "fair": 1, "good": 2}
    reference = krippendorff.alpha(
        [[places[item[r]] for item in items] for r in (0, 1)], level_of_measurement="ordinal"
    )
    assert agreement.krippendorff(items, "ordinal", order=list(places)).value == pytest.approx(reference)
    with pytest.raises(ValueError, match="good"):
        agreement.krippendorff(items, "ordinal", order=["bad", "fair"])


def test_full_agreement_is_not_certain_agreement_and_one_value_tells_nothing():
    whole = agreement.krippendorff([(1, 1), (2, 2), (3, 3)] * 5, "ordinal")
    assert whole.value == 1 and whole.low < 1 and agreement.reading(whole) == "reliable"
    assert agreement.krippendorff([(1, 1)] * 10) is None
    assert agreement.krippendorff([(1, None), (None, 2)]) is None


def made_up_votes(seed: int, models: int = 4, votes: int = 200) -> list[tuple[str, str, float]]:
    rng = np.random.default_rng(seed)
    strengths = rng.normal(size=models)
    found = []
    for _ in range(votes):
        a, b = rng.choice(models, 2, replace=False)
        found.append((f"m{a}", f"m{b}", float(rng.random() < expit(strengths[a] - strengths[b]))))
    return found


@pytest.mark.parametrize("seed", range(6))
def test_bradley_terry_agrees_with_choix(seed):
    votes = made_up_votes(seed, models=3 + seed % 3)
    names = sorted({name for vote in votes for name in vote[:2]})
    pairs = [(names.index(a), names.index(b)) if won else (names.index(b), names.index(a)) for a, b, won in votes]
    reference = choix.opt_pairwise(len(names), pairs, alpha=1 / (2 * logistic.PRIOR**2), tol=1e-10)
    found = bradley_terry.standings(votes)
    for row in found.rows:
        own = reference[names.index(row.name)] - reference.mean()
        assert row.strength.value == pytest.approx(own, abs=1e-5)
        assert row.strength.low < own < row.strength.high and row.wins.low < row.wins.value < row.wins.high
    assert [row.name for row in found.rows] == [names[i] for i in np.argsort(-reference)]
    first, last = found.rows[0].name, found.rows[-1].name
    assert found.pairs[first][last].value == pytest.approx(1 - found.pairs[last][first].value)
    difference = reference[names.index(first)] - reference[names.index(last)]
    assert logit(found.pairs[first][last].value) == pytest.approx(difference, abs=1e-5)


def test_a_tie_is_half_a_win_and_a_model_that_always_won_stays_finite():
    halves = bradley_terry.standings([("a", "b", 0.5), ("b", "c", 0.5), ("a", "c", 0.5)] * 5)
    assert [row.wins.value for row in halves.rows] == pytest.approx([0.5] * 3)
    always = bradley_terry.standings([("a", "b", 1.0)] * 12 + [("b", "c", 0.5)] * 12)
    assert always.rows[0].name == "a" and 0.5 < always.pairs["a"]["b"].low < always.pairs["a"]["b"].high < 1
    assert always.pairs["a"]["c"].low < always.pairs["a"]["b"].low  # they never met
    with pytest.raises(ValueError, match="itself"):
        bradley_terry.standings([("a", "a", 1.0)])


def test_votes_of_one_prompt_count_as_one_where_they_all_agree():
    once = [("a", "b", float(i % 3 > 0)) for i in range(30)]
    alone, copied = (
        bradley_terry.standings(once * times, [i % 30 for i in range(30 * times)]).pairs["a"]["b"] for times in (1, 10)
    )
    assert copied.n == alone.n == 30
    assert copied.high - copied.low == pytest.approx(alone.high - alone.low, rel=0.15)


def made_up_lengths(seed: int, votes: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Votes that depend on length and on the quality of one in sixty prompts."""
    rng = np.random.default_rng(seed)
    prompt = rng.integers(0, 60, size=votes)
    extra = rng.normal(10, 30, size=votes).round()
    taste = rng.normal(0, 0.5, size=60)[prompt]
    return (rng.random(votes) < expit(0.4 + 0.03 * extra + taste)).astype(float), extra, prompt


@pytest.mark.parametrize("seed", range(4))
def test_the_win_rate_at_equal_length_agrees_with_statsmodels(seed):
    won, extra, prompt = made_up_lengths(seed)
    design = np.column_stack([np.ones_like(extra), np.tanh(extra / extra.std())])
    reference = sm.GLM(won, design, family=sm.families.Binomial()).fit(cov_type="cluster", cov_kwds={"groups": prompt})
    found = equal_length.win_rate(won, extra, list(prompt), prior=None)
    assert found.win_rate.value == pytest.approx(expit(reference.params[0]), abs=1e-8)
    plain = logistic.fit(design, won, list(prompt), prior=None)
    assert plain.by_groups == pytest.approx(reference.cov_params(), rel=1e-4)
    unclustered = sm.GLM(won, design, family=sm.families.Binomial()).fit()
    assert plain.by_model == pytest.approx(unclustered.cov_params(), rel=1e-4)


def test_the_weak_prior_is_the_penalty_of_scikit_learn():
    won, extra, _ = made_up_lengths(9)
    design = np.column_stack([np.ones_like(extra), np.tanh(extra / extra.std())])
    reference = LogisticRegression(C=logistic.PRIOR**2, fit_intercept=False, tol=1e-10).fit(design, won)
    assert logistic.fit(design, won).coefficients == pytest.approx(reference.coef_[0], abs=1e-5)


def test_a_taste_for_length_alone_leaves_nothing_at_equal_length():
    rng = np.random.default_rng(1)
    extra = rng.normal(20, 20, size=400)
    found = equal_length.win_rate((rng.random(400) < expit(extra / 10)).astype(float), extra)
    assert found.raw.low > 0.65
    assert found.win_rate.low < 0.5 < found.win_rate.high
    assert found.longer_wins.low > 0.6


def test_answers_that_are_always_longer_cannot_be_told_from_better_ones():
    found = equal_length.win_rate([1.0] * 28 + [0.0] * 2, [50.0] * 30)
    assert found.raw.low > 0.7
    assert found.win_rate.high - found.win_rate.low > 0.5


def wide_of_the_mark(seed: int) -> bool:
    """Whether the interval of one simulated study leaves out the true win rate at equal length (60% by the votes)."""
    rng = np.random.default_rng(seed)
    extra = rng.normal(0, 20, size=120)
    won = rng.random(120) < expit(0.4 + np.tanh(extra / 20))
    design = np.column_stack([np.ones_like(extra), np.tanh(extra / 20)])
    found = logistic.fit(design, won.astype(float)).chance(np.array([1.0, 0.0]), "")
    return not found.low <= expit(0.4) <= found.high


def test_its_interval_holds_the_true_win_rate_about_95_times_in_100():
    missed = sum(wide_of_the_mark(seed) for seed in range(400))
    assert 8 <= missed <= 32
