"""The luck of the best of several scores: held against simulation, with independent and with shared noise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.data.statistics import wilson
from core.data.test_wear import expected_maximum, optimism, standard_error, worn
from core.schemas.estimates import Estimate


@pytest.mark.parametrize("k", [1, 2, 3, 5, 10, 40])
def test_the_expected_maximum_is_that_of_simulated_normal_numbers(k: int) -> None:
    drawn = np.random.default_rng(k).standard_normal((200_000, k)).max(axis=1)
    assert expected_maximum(k) == pytest.approx(drawn.mean(), abs=4 * drawn.std() / math.sqrt(len(drawn)))
    assert expected_maximum(k) <= math.sqrt(2 * math.log(k)) + 1e-12  # known for every k, whatever the dependence


def test_known_values_of_the_order_statistic() -> None:
    assert expected_maximum(2) == pytest.approx(1 / math.sqrt(math.pi))
    assert expected_maximum(3) == pytest.approx(1.5 / math.sqrt(math.pi))
    assert expected_maximum(10) == pytest.approx(1.53875, abs=1e-5)
    with pytest.raises(ValueError, match="at least one"):
        expected_maximum(0)


def accuracies(k: int, n: int, shared: float, draws: int = 4_000) -> np.ndarray:
    """Accuracies on n test rows of k models that are all right with probability .8, shape (draws, k); a share of the rows
    is right or wrong for all of them alike."""
    rng = np.random.default_rng(3)
    together = rng.binomial(round(shared * n), 0.8, size=(draws, 1))
    return (together + rng.binomial(n - round(shared * n), 0.8, size=(draws, k))) / n


@pytest.mark.parametrize("k", [2, 5, 10])
def test_choosing_the_best_of_equal_models_gains_what_the_estimate_says(k: int) -> None:
    n = 200
    gained = accuracies(k, n, shared=0).max(axis=1).mean() - 0.8
    said = optimism(wilson(160, n), k)
    assert said is not None and said == pytest.approx(gained, rel=0.06)


def test_models_that_err_on_the_same_rows_gain_less_so_that_it_is_an_upper_estimate() -> None:
    said = optimism(wilson(160, 200), 5)
    assert said is not None and accuracies(5, 200, shared=0.6).max(axis=1).mean() - 0.8 < 0.8 * said


def test_without_an_interval_nothing_is_claimed() -> None:
    assert standard_error(Estimate(value=0.5, n=3)) is None and optimism(Estimate(value=0.5, n=3), 4) is None


def test_a_test_set_is_worn_when_luck_exceeds_the_standard_error() -> None:
    assert [worn(k) for k in range(6)] == [False, False, False, False, True, True]
