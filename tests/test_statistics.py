"""Intervals, tests and sample sizes, held against published values and scipy."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy import stats

from core.data import statistics as s
from core.schemas.estimates import Estimate, Verdict


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)],
)
def test_wilson_gives_the_intervals_printed_by_newcombe_1998(successes, n, low, high):
    share = s.wilson(successes, n)
    assert (round(share.low, 4), round(share.high, 4)) == (low, high)
    assert share.n == n


@pytest.mark.parametrize(("successes", "n"), [(0, 5), (5, 5), (4, 10), (50, 50), (196, 200), (731, 1000)])
def test_wilson_agrees_with_scipy(successes, n):
    reference = stats.binomtest(successes, n).proportion_ci(method="wilson")
    share = s.wilson(successes, n)
    assert (share.low, share.high) == pytest.approx((reference.low, reference.high), abs=1e-12)
    assert 0 <= share.low <= share.value <= share.high <= 1


@pytest.mark.parametrize(("successes", "n"), [(1, 29), (2, 200), (3, 50)])
def test_the_end_near_nothing_is_that_of_a_poisson_variable(successes, n):
    share, plain = s.wilson(successes, n), stats.binomtest(successes, n).proportion_ci(method="wilson")
    assert share.low == pytest.approx(stats.chi2.ppf(0.025, 2 * successes) / 2 / n) and share.low < plain.low
    assert share.high == pytest.approx(plain.high)
    other = s.wilson(n - successes, n)
    assert (other.low, other.high) == pytest.approx((1 - share.high, 1 - share.low))


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (5, 4), (-1, 4)])
def test_wilson_refuses_impossible_counts(successes, n):
    with pytest.raises(ValueError, match="successes of"):
        s.wilson(successes, n)


def test_a_share_of_copies_is_known_as_well_as_the_share_of_the_originals():
    originals = [1.0] * 30 + [0.0] * 20
    copied = s.wilson_by_group([o for o in originals for _ in range(10)], [i // 10 for i in range(500)])
    alone = s.wilson(30, 50)
    assert copied.n == 50 and copied.value == 0.6
    assert (copied.low, copied.high) == pytest.approx((alone.low, alone.high), abs=5e-3)


def test_one_error_among_hundreds_of_groups_says_no_less_than_one_error_among_as_many_rows():
    outcomes, groups = [0.0] + [1.0] * 318, [*range(317), 5, 6]
    grouped, alone = s.wilson_by_group(outcomes, groups), s.wilson(316, 317)
    assert (grouped.low, grouped.high) == pytest.approx((alone.low, alone.high), abs=2e-3)


def test_groups_that_agree_on_everything_leave_as_many_rows_as_groups():
    agreed = s.wilson_by_group([1.0] * 60, [i % 6 for i in range(60)])
    assert agreed.low == s.wilson(6, 6).low and agreed.high == 1.0
    assert s.wilson_by_group([1.0, 0.0, 1.0], ["a", "a", "a"]).low < 0.2


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [((56, 70, 48, 80), 0.0524, 0.3339), ((9, 10, 3, 10), 0.1705, 0.8090), ((10, 10, 0, 10), 0.6075, 1.0)],
)
def test_newcombe_gives_the_intervals_printed_for_method_10(counts, low, high):
    difference = s.newcombe_difference(*counts)
    assert (round(difference.low, 4), round(difference.high, 4)) == (low, high)


def test_the_paired_interval_is_close_to_wald_for_many_rows():
    # Agresti's prime minister example: 1,600 people asked twice, 944 then 880 approve.
    change = s.newcombe_paired(794, 150, 86, 570)
    error = np.sqrt((150 + 86) / 1600 - (64 / 1600) ** 2) / np.sqrt(1600)
    assert change.value == pytest.approx(-0.04)
    assert (change.low, change.high) == pytest.approx((-0.04 - 1.96 * error, -0.04 + 1.96 * error), abs=5e-4)


def test_the_paired_interval_covers_the_truth_about_95_times_in_100():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(1000):
        both, only_base, only_tuned, neither = rng.multinomial(60, [0.5, 0.05, 0.2, 0.25])
        change = s.newcombe_paired(int(both), int(only_base), int(only_tuned), int(neither))
        hits += change.low <= 0.15 <= change.high
    assert 0.93 <= hits / 1000 <= 0.985


def test_the_paired_interval_changes_sign_when_base_and_tuned_change_places():
    there, back = s.newcombe_paired(40, 5, 20, 35), s.newcombe_paired(40, 20, 5, 35)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))


@pytest.mark.parametrize(("wins", "losses"), [(0, 0), (1, 0), (5, 0), (6, 0), (17, 4), (4, 17), (50, 50), (1200, 1100)])
def test_the_sign_test_agrees_with_scipy(wins, losses):
    expected = stats.binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
    assert s.sign_test(wins, losses) == pytest.approx(expected, abs=1e-12)
    assert s.mcnemar(losses, wins) == s.sign_test(wins, losses)


def test_benjamini_hochberg_agrees_with_scipy_and_keeps_the_order():
    p_values = [0.9, 0.001, 0.04, 0.008, 0.039, 0.5, 0.04]
    assert s.benjamini_hochberg(p_values) == pytest.approx(stats.false_discovery_control(p_values))
    assert s.benjamini_hochberg([]) == []


@pytest.mark.parametrize(
    ("share", "other", "h"), [(0.5, 0.5, 0.0), (0.65, 0.45, 1.875 - 1.471), (0.0, 1.0, -np.pi), (0.75, 0.5, np.pi / 6)]
)
def test_cohens_h_matches_the_table_of_cohen_1988(share, other, h):
    assert s.cohens_h(share, other) == pytest.approx(h, abs=1e-3)


def test_the_bootstrap_of_a_mean_agrees_with_the_normal_interval():
    values = np.random.default_rng(1).normal(2.0, 3.0, 800)
    mean = s.bootstrap_mean(values)
    half = 1.96 * values.std(ddof=1) / np.sqrt(800)
    assert mean.value == pytest.approx(values.mean())
    assert (mean.low, mean.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.02)


def test_the_paired_bootstrap_finds_a_small_change_that_two_single_intervals_hide():
    rng = np.random.default_rng(2)
    base = rng.normal(0, 5, 300)
    tuned = base + rng.normal(0.3, 0.5, 300)
    change = s.paired_bootstrap(base, tuned)
    assert 0 < change.low < 0.3 < change.high
    assert s.bootstrap_mean(base).high > s.bootstrap_mean(tuned).low


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    values = np.random.default_rng(3).normal(size=100)
    assert s.bootstrap_mean(values) == s.bootstrap_mean(values)
    assert s.bootstrap_mean(values, seed=1) != s.bootstrap_mean(values)


def test_copies_of_one_template_do_not_count_as_independent_examples():
    values = np.random.default_rng(4).normal(size=50)
    copies = np.repeat(values, 20)
    grouped = s.bootstrap_mean(copies, groups=[i // 20 for i in range(1000)])
    alone, ungrouped = s.bootstrap_mean(values), s.bootstrap_mean(copies)
    assert grouped.n == 50
    assert (grouped.low, grouped.high) == pytest.approx((alone.low, alone.high), abs=0.02)
    assert grouped.high - grouped.low > 3 * (ungrouped.high - ungrouped.low)


def test_groups_of_unequal_size_weigh_their_rows_equally():
    values, groups = [1.0, 1.0, 1.0, 0.0], ["a", "a", "a", "b"]
    assert s.bootstrap_mean(values, groups).value == 0.75


def test_equal_rows_may_be_given_once_with_their_number():
    once = s.bootstrap([[1, 1], [0, 1]], s.ratio_of_sums, multiplicity=[300, 700])
    assert once.n == 1000 and once.value == 0.3
    reference = s.wilson(300, 1000)
    assert (once.low, once.high) == pytest.approx((reference.low, reference.high), abs=0.003)


def test_rows_that_all_agree_do_not_pass_for_certainty():
    perfect = s.bootstrap_mean([1.0] * 20, bounds=(0.0, 1.0))
    assert perfect.high == 1.0
    assert perfect.low == pytest.approx(s.wilson(20, 20).low)
    assert s.bootstrap_mean([7.0] * 20).low is None


def test_the_bootstrap_p_is_small_for_a_real_change_and_never_zero():
    assert s.bootstrap_p(np.linspace(0.1, 1, 999)) == pytest.approx(2 / 1000)
    assert s.bootstrap_p(np.linspace(-1, 1, 1000)) == 1.0


def test_pairs_and_groups_must_fit_each_other():
    with pytest.raises(ValueError, match="equal shapes"):
        s.paired_bootstrap([1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="2 rows but 1 group keys"):
        s.bootstrap_mean([1, 2], groups=["a"])
    with pytest.raises(ValueError, match="nothing to resample"):
        s.resample_sums(np.zeros((0, 2)))


def test_ten_thousand_draws_of_a_thousand_rows_take_under_half_a_second_of_processor_time():
    base, tuned = np.random.default_rng(5).normal(size=(2, 1000))
    s.paired_bootstrap(base[:10], tuned[:10])
    start = time.process_time()
    s.paired_bootstrap(base, tuned)
    assert time.process_time() - start < 0.5


@pytest.mark.parametrize(("win_rate", "votes"), [(0.8, 20), (0.75, 30), (0.7, 49), (0.65, 90), (0.6, 199), (0.55, 783)])
def test_decisive_votes_for_80_percent_power(win_rate, votes):
    assert s.decisive_votes(win_rate) == votes


def test_decisive_votes_have_the_power_that_scipy_computes():
    n = s.decisive_votes(0.7)
    needed = next(k for k in range(n + 1) if k > n / 2 and stats.binomtest(k, n).pvalue <= 0.05)
    assert stats.binom.sf(needed - 1, n, 0.7) >= 0.8


@pytest.mark.parametrize("rate", [0.5, 1.0, 0.3])
def test_decisive_votes_need_a_winner(rate):
    with pytest.raises(ValueError, match="win rate"):
        s.decisive_votes(rate)


@pytest.mark.parametrize(("share", "other", "rows"), [(0.1, 0.2, 199), (0.5, 0.6, 388)])
def test_rows_in_each_group_to_find_a_difference(share, other, rows):
    assert s.rows_per_group(share, other) == s.rows_per_group(other, share) == rows


def test_fifty_votes_are_known_to_13_points_and_300_rows_to_under_6():
    assert round(s.margin(50), 2) == 0.13
    assert s.margin(300) < 0.057
    assert s.margin(300, share=0.91) < s.margin(300)


@pytest.mark.parametrize("target", [0.01, 0.03, 0.05, 0.1])
def test_rows_for_a_margin_are_the_fewest_that_reach_it(target):
    rows = s.rows_for_margin(target)
    assert s.margin(rows) <= target < s.margin(rows - 1)


def test_rows_to_decide_grow_as_the_change_shrinks():
    clear = s.rows_to_decide(Estimate(value=0.04, n=100, low=-0.02, high=0.1))
    faint = s.rows_to_decide(Estimate(value=0.02, n=100, low=-0.04, high=0.08))
    assert 100 < clear < faint == pytest.approx(4 * clear, rel=0.01)
    assert s.rows_to_decide(Estimate(value=0.0001, n=100, low=-0.06, high=0.06)) is None
    assert s.rows_to_decide(Estimate(value=0.0, n=100, low=-0.06, high=0.06)) is None


@pytest.mark.parametrize(
    ("low", "high", "higher_is_better", "said"),
    [
        (0.01, 0.2, True, Verdict.BETTER),
        (0.01, 0.2, False, Verdict.WORSE),
        (-0.2, -0.01, True, Verdict.WORSE),
        (-0.2, -0.01, False, Verdict.BETTER),
        (-0.1, 0.1, True, Verdict.NO_EVIDENCE),
        (0.0, 0.2, True, Verdict.NO_EVIDENCE),
        (None, None, True, Verdict.NOT_ENOUGH_DATA),
    ],
)
def test_the_verdict_follows_from_the_interval(low, high, higher_is_better, said):
    assert s.verdict(Estimate(value=0.1, n=100, low=low, high=high), higher_is_better) == said


def test_too_few_examples_give_no_verdict_however_clear_the_change():
    clear = Estimate(value=1.0, n=12, low=0.7, high=1.0)
    assert s.verdict(clear, True) is Verdict.NOT_ENOUGH_DATA
    assert s.verdict(clear, True, min_n=10) is Verdict.BETTER
    assert s.verdict(clear, True, n=500) is Verdict.BETTER


def test_when_nothing_changed_a_false_alarm_is_as_rare_as_promised():
    rng = np.random.default_rng(6)
    alarms = 0
    for _ in range(200):
        base, tuned = rng.normal(size=(2, 80))
        alarms += s.verdict(s.paired_bootstrap(base, tuned, draws=500), True) is not Verdict.NO_EVIDENCE
    assert alarms / 200 <= 0.1
