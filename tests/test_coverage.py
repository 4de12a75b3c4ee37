"""What a 95% interval must do: hold the true value in 93 to 97 of 100 simulated cases, or more where it says so.

2,000 cases for each point of the grid. A wider grid is run by hand: `benchmarks/coverage.py`.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from core.data import statistics as s
from core.data.auc import one_class
from core.metrics._influence import logit_interval
from core.metrics.calibration_error import BINS, CalibrationError
from core.metrics.macro_f1 import MacroF1

CASES = 2_000
DRAWS = 200  # of a bootstrap: enough for coverage, and fifty times as quick as what the screens use


def covered(low: float, truth: float, high: float) -> bool:
    return low - 1e-9 <= truth <= high + 1e-9


@pytest.mark.parametrize("n", [30, 100, 300, 1000])
@pytest.mark.parametrize("share", [0.5, 0.7, 0.9, 0.95, 0.98])
def test_a_share(n, share):
    rng = np.random.default_rng(n)
    true = share + rng.uniform(-0.02, 0.02, CASES)  # one share alone would show the luck of whole numbers
    found = [s.wilson(int(k), n) for k in rng.binomial(n, true)]
    rate = np.mean([covered(e.low, p, e.high) for e, p in zip(found, true, strict=True)])
    assert 0.93 <= rate <= (0.97 if n * (1 - share) >= 5 else 1.0)


@pytest.mark.parametrize(("n", "p", "m", "q"), [(30, 0.5, 30, 0.6), (50, 0.9, 200, 0.8), (300, 0.95, 300, 0.9)])
def test_the_difference_of_two_shares(n, p, m, q):
    rng = np.random.default_rng(n)
    pairs = zip(rng.binomial(n, p, CASES), rng.binomial(m, q, CASES), strict=True)
    found = [s.newcombe_difference(int(a), n, int(b), m) for a, b in pairs]
    assert 0.93 <= np.mean([covered(e.low, p - q, e.high) for e in found]) <= 0.97


@pytest.mark.parametrize(
    ("n", "table"), [(30, (0.5, 0.05, 0.25, 0.2)), (100, (0.8, 0.05, 0.1, 0.05)), (1000, (0.9, 0.02, 0.03, 0.05))]
)
def test_the_difference_of_two_models_on_the_same_rows(n, table):
    counts = np.random.default_rng(n).multinomial(n, table, CASES)
    found = [s.newcombe_paired(*map(int, row)) for row in counts]
    assert 0.93 <= np.mean([covered(e.low, table[2] - table[1], e.high) for e in found]) <= 0.97


CLUSTERS = [(5, 20, 0.7, 0.2), (10, 10, 0.9, 0.2), (30, 4, 0.9, 0.05), (50, 5, 0.95, 0.3), (200, 3, 0.9, 0.5)]


@pytest.mark.parametrize(("groups", "size", "share", "alike"), CLUSTERS)
def test_a_share_of_rows_that_come_in_groups(groups, size, share, alike):
    """`alike` is the correlation within a group; groups have 1 to 2 x size - 1 rows."""
    rng = np.random.default_rng(groups)
    sizes = rng.integers(1, 2 * size, (CASES, groups))
    own = rng.beta(share * (1 - alike) / alike, (1 - share) * (1 - alike) / alike, (CASES, groups))
    right = rng.binomial(sizes, own)
    hits = []
    for k, n in zip(right, sizes, strict=True):
        outcomes = [1.0 if i < r else 0.0 for r, rows in zip(k, n, strict=True) for i in range(rows)]
        e = s.wilson_by_group(outcomes, [g for g, rows in enumerate(n) for _ in range(rows)])
        hits.append(covered(e.low, share, e.high))
    assert 0.93 <= np.mean(hits) <= 0.97


@pytest.mark.parametrize(("groups", "size"), [(10, 4), (30, 5), (100, 1)])
def test_a_mean_by_resampling_groups(groups, size):
    rng = np.random.default_rng(groups)
    hits = []
    for _ in range(CASES):
        sizes = rng.integers(1, 2 * size, groups) if size > 1 else np.ones(groups, int)
        keys = np.repeat(np.arange(groups), sizes)
        e = s.bootstrap_mean(rng.normal(size=groups)[keys] + rng.normal(size=len(keys)), keys.tolist(), draws=DRAWS)
        hits.append(covered(e.low, 0.0, e.high))
    assert 0.93 <= np.mean(hits) <= 0.97


@pytest.mark.parametrize(
    ("n", "prior", "right"), [(60, (0.5, 0.5), (0.8, 0.7)), (150, (0.6, 0.3, 0.1), (0.9, 0.8, 0.5))]
)
def test_macro_f1_by_resampling(n, prior, right):
    k = len(prior)
    table = np.full((k, k), 1.0) * ((1 - np.array(right)) / (k - 1))[:, None]
    np.fill_diagonal(table, right)
    table *= np.array(prior)[:, None]
    truth = np.mean([2 * table[i, i] / (table[i].sum() + table[:, i].sum()) for i in range(k)])
    cells = np.array(
        [np.concatenate([np.eye(k)[i] * (i == j), np.eye(k)[j], np.eye(k)[i]]) for i in range(k) for j in range(k)]
    )
    metric = MacroF1()
    metric.draws = DRAWS
    metric.components = lambda drawn: cells[drawn.cells]
    hits = []
    for counts in np.random.default_rng(n).multinomial(n, table.ravel(), CASES):
        e = metric.measure(SimpleNamespace(cells=np.repeat(np.arange(k * k), counts), groups=None))
        hits.append(covered(e.low, truth, e.high))
    assert 0.93 <= np.mean(hits) <= 0.97


@pytest.mark.parametrize(("others", "own", "apart"), [(50, 10, 1.0), (100, 100, 2.0), (300, 30, 1.5)])
def test_the_area_under_the_roc_curve(others, own, apart):
    rng = np.random.default_rng(others)
    mine = np.arange(others + own) >= others
    hits = []
    for _ in range(CASES):
        value, deviations = one_class(rng.normal(size=others + own) + apart * mine, mine)
        e = logit_interval(value, 1.96 * float(np.sqrt(np.square(deviations).sum())), others + own, "")
        hits.append(covered(e.low, stats.norm.cdf(apart / np.sqrt(2)), e.high))
    assert 0.93 <= np.mean(hits) <= 0.97


@pytest.mark.parametrize(
    ("n", "pattern"), [(60, "none"), (60, "even"), (60, "sure ones"), (300, "even"), (300, "sure ones"), (900, "none")]
)
def test_the_calibration_error_errs_to_the_safe_side(n, pattern):
    """Whatever the pattern of the error, and although the plain figure of a perfect model is 11% on 60 rows."""

    def chances(sure: np.ndarray) -> np.ndarray:
        return sure - {"none": 0.0, "even": 0.1, "sure ones": 0.15 * (sure > 0.93)}[pattern]

    rng = np.random.default_rng(n)
    many = np.sort(0.5 + 0.5 * rng.beta(6, 1.5, 60_000))
    truth = np.mean([abs((b - chances(b)).mean()) for b in np.array_split(many, BINS)])
    metric, hits, values = CalibrationError(), [], []
    for _ in range(CASES // 4):  # 3,000 over all patterns and sizes
        sure = 0.5 + 0.5 * rng.beta(6, 1.5, n)
        drawn = SimpleNamespace(matrix=sure[:, None], correct=rng.random(n) < chances(sure), groups=None)
        e = metric.measure(SizedNamespace(n, drawn))
        assert e.low <= e.value <= e.high
        hits.append(covered(e.low, truth, e.high))
        values.append(e.value)
    assert np.mean(hits) >= 0.93
    assert abs(np.mean(values) - truth) < 0.05


class SizedNamespace:
    """Predictions as the metric sees them: their number, confidences and hits."""

    def __init__(self, n: int, known: SimpleNamespace) -> None:
        self.n, self.matrix, self.correct, self.groups = n, known.matrix, known.correct, known.groups

    def __len__(self) -> int:
        return self.n
