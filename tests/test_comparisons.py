"""Base against tuned: paired by row, judged by one of four verdicts, with the rows to look at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_up_predictions import classified, named, written
from scipy.stats import binomtest

from core import metrics
from core.schemas.errors import UserError
from core.schemas.estimates import Verdict
from core.schemas.predictions import ClassPrediction, ClassPredictions

METRICS = metrics.registry()


def copies(predictions: ClassPredictions, times: int = 5) -> ClassPredictions:
    """Every row several times, marked as one group."""
    items = [
        replace(item, row_id=f"{item.row_id}-{i}", group=item.row_id)
        for item in predictions.items
        for i in range(times)
    ]
    return ClassPredictions(predictions.labels, tuple(items))


def test_accuracy_is_compared_by_exact_mcnemar():
    base = named(*[("a", "a")] * 30, *[("a", "b")] * 70)
    tuned = named(*[("a", "a")] * 28, *[("a", "b")] * 2, *[("a", "a")] * 50, *[("a", "b")] * 20)
    comparison = metrics.compare(METRICS["accuracy"], base, tuned)
    assert (comparison.base.value, comparison.tuned.value, comparison.change.value) == (0.3, 0.78, pytest.approx(0.48))
    assert comparison.test == "exact McNemar" and comparison.verdict is Verdict.BETTER
    assert comparison.p == pytest.approx(binomtest(2, 52).pvalue)
    assert metrics.compare(METRICS["accuracy"], tuned, base).verdict is Verdict.WORSE


@pytest.mark.parametrize("key", ["accuracy", "macro_f1", "log_loss", "roc_auc"])
def test_a_much_better_classifier_is_called_better_and_an_equal_one_is_not(key: str):
    base, tuned, equal = classified(0.3), classified(0.9, seed=1), classified(0.3, seed=3)
    assert metrics.compare(METRICS[key], base, tuned).verdict is Verdict.BETTER
    assert metrics.compare(METRICS[key], base, equal).verdict is Verdict.NO_EVIDENCE
    same = metrics.compare(METRICS[key], base, base)
    assert same.change.value == 0 and same.verdict is Verdict.NO_EVIDENCE


def test_five_rows_better_and_none_worse_is_no_evidence_because_the_exact_test_says_so():
    base, tuned = named(*[("a", "a")] * 50, *[("a", "b")] * 50), named(*[("a", "a")] * 55, *[("a", "b")] * 45)
    comparison = metrics.compare(METRICS["accuracy"], base, tuned)
    assert comparison.change.low > 0 and comparison.p == 0.0625
    assert comparison.verdict is Verdict.NO_EVIDENCE


def test_few_rows_are_not_enough_data_for_a_verdict():
    base, tuned = named(*[("a", "b")] * 12), named(*[("a", "a")] * 12)
    assert metrics.compare(METRICS["accuracy"], base, tuned).verdict is Verdict.NOT_ENOUGH_DATA


def test_many_rows_of_few_templates_are_not_enough_data_either():
    comparison = metrics.compare(METRICS["accuracy"], classified(0.3, groups=10), classified(0.9, seed=1, groups=10))
    assert comparison.verdict is Verdict.NOT_ENOUGH_DATA and comparison.change.n == 10


def test_copies_of_the_same_rows_do_not_make_a_change_more_certain():
    base, tuned = classified(0.5, n=60), classified(0.6, seed=1, n=60)
    alone = metrics.compare(METRICS["macro_f1"], base, tuned).change
    copied = metrics.compare(METRICS["macro_f1"], copies(base), copies(tuned)).change
    assert copied.n == alone.n == 60 and copied.value == pytest.approx(alone.value)
    assert copied.high - copied.low == pytest.approx(alone.high - alone.low, rel=0.1)


@pytest.mark.parametrize("key", ["roc_auc", "distinct_2"])
def test_a_change_between_two_alike_models_is_known_better_than_either_value(key: str):
    if key == "roc_auc":
        base, tuned = classified(0.7), classified(0.7)
        almost = (replace(tuned.items[0], probabilities=(0.25,) * 4), *tuned.items[1:])
        tuned = ClassPredictions(tuned.labels, almost)
    else:
        rng = np.random.default_rng(0)
        texts = [" ".join(f"word{int(w)}" for w in rng.exponential(20, size=3 + i % 12)) for i in range(60)]
        base = written(*[(text, "x") for text in texts])
        tuned = written(*[(text, "x") for text in [*texts[:-1], texts[-1] + " at all"]])
    comparison = metrics.compare(METRICS[key], base, tuned)
    assert comparison.change.high - comparison.change.low < 0.5 * (comparison.base.high - comparison.base.low)


def test_rows_are_paired_by_their_id_and_not_by_their_place():
    base, tuned = classified(0.4), classified(0.8, seed=1)
    shuffled = ClassPredictions(tuned.labels, tuned.items[::-1])
    for key in ("accuracy", "macro_f1"):
        ordered, other = metrics.compare(METRICS[key], base, tuned), metrics.compare(METRICS[key], base, shuffled)
        assert ordered.change.value == pytest.approx(other.change.value)
        assert ordered.p == pytest.approx(other.p, abs=0.01)


def test_only_rows_that_both_models_saw_are_compared():
    base, tuned = classified(0.4), classified(0.8, seed=1)
    part = base.select([item.row_id for item in base.items[:100]])
    assert metrics.compare(METRICS["accuracy"], part, tuned).tuned.n == 100


def test_results_on_different_rows_are_refused_with_a_reason():
    other = ClassPredictions(("a",), (ClassPrediction("elsewhere", "a", "a"),))
    with pytest.raises(UserError, match="different rows"):
        metrics.compare(METRICS["accuracy"], named(("a", "a")), other)


def test_a_row_with_two_right_answers_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="two right answers"):
        metrics.compare(METRICS["accuracy"], named(("a", "a")), named(("b", "a")))


def test_fixed_broken_and_confident_errors_are_lists_of_rows():
    base = named(("a", "b"), ("a", "a"), ("b", "b"), ("b", "a"))
    tuned = named(("a", "a"), ("a", "b"), ("b", "b"), ("b", "a"))
    assert [flip.row_id for flip in metrics.fixed(base, tuned)] == ["r0"]
    assert [(flip.row_id, flip.gold, flip.base, flip.tuned) for flip in metrics.broken(base, tuned)] == [
        ("r1", "a", "a", "b")
    ]
    errors = metrics.confident_errors(classified(0.5))
    assert not any(item.correct for item in errors)
    assert [item.confidence for item in errors] == sorted((item.confidence for item in errors), reverse=True)
    assert metrics.confident_errors(classified(0.5), limit=3) == errors[:3]
