"""Sentences for people: true to the figures, modest where the data is small, honest where tuning was not needed."""

from __future__ import annotations

import numpy as np
import pytest

from core import metrics
from core.data.statistics import wilson
from core.data.verdicts import (
    Outcome,
    Success,
    check_success,
    classification_summary,
    figure,
    generation_summary,
    interval,
)
from core.schemas.estimates import Comparison, Estimate, Verdict
from core.schemas.predictions import ClassPrediction, ClassPredictions, TextPrediction, TextPredictions

METRICS = metrics.registry()
ANSWER = "the parcel arrives within three working days at your door"
ACCURACY, LOSS, CHRF = METRICS["accuracy"], METRICS["loss"], METRICS["chrf"]


def right_on(right: int, n: int, shift: int = 0) -> ClassPredictions:
    """A classifier that is right on `right` of n rows, beginning at row `shift`."""
    hits = {(shift + i) % n for i in range(right)}
    items = [ClassPrediction(f"r{i}", "a", "a" if i in hits else "b") for i in range(n)]
    return ClassPredictions(("a", "b"), tuple(items))


def against(other: int, tuned: int, n: int, shift: int = 0) -> Comparison:
    comparison = metrics.compare(ACCURACY, right_on(other, n, shift), right_on(tuned, n))
    assert comparison is not None
    return comparison


def answers(quality: float, n: int = 60, seed: int = 0) -> TextPredictions:
    """Answers of which about this share of words is right, with a loss to match."""
    rng, told = np.random.default_rng(seed), ANSWER.split()
    items = []
    for i in range(n):
        text = " ".join(word if rng.random() < quality else "zzz" for word in told)
        nll = float(rng.normal(40 * (1.5 - quality), 3))
        items.append(TextPrediction(f"r{i}", f"q{i}", " ".join(told), text, True, 9, nll, 10, 5, 55))
    return TextPredictions(tuple(items))


def test_a_clear_success_is_told_in_times_in_100():
    summary = classification_summary(against(51, 273, 300), against(60, 273, 300), against(240, 273, 300), "messages")
    assert summary.text == (
        "On 300 messages it never saw, it is right 91 times in 100 (87 to 94); the base model 17. "
        "Better, and not by chance. "
        "Always naming the most frequent category would be right 20 times in 100. "
        "A simple word-count model is right 80 times in 100: fine-tuning was worth it."
    )
    assert summary.verdict is Verdict.BETTER and summary.worth_it is True


def test_where_word_counts_do_as_well_fine_tuning_is_not_needed():
    summary = classification_summary(against(51, 910, 1000), against(200, 910, 1000), against(908, 910, 1000))
    assert summary.sentences[-1] == (
        "A simple word-count model does as well (91 times in 100): you do not need fine-tuning for this."
    )
    assert summary.worth_it is False and summary.verdict is Verdict.BETTER


def test_as_well_is_said_with_a_reservation_where_few_rows_could_hide_a_gain():
    summary = classification_summary(against(10, 54, 60), None, against(50, 54, 60, shift=8), "messages")
    assert "does as well (50 times in 60), as far as 60 messages can tell: you do not need" in summary.sentences[-1]


def test_where_word_counts_do_better_it_is_said():
    summary = classification_summary(against(51, 200, 300), None, against(280, 200, 300))
    assert summary.sentences[-1].startswith("A simple word-count model does better (93 times in 100)")
    assert summary.worth_it is False


def test_a_model_that_only_names_the_most_frequent_category_is_not_praised():
    summary = classification_summary(against(50, 255, 300), against(255, 255, 300), against(256, 255, 300))
    assert "85 times in 100: no sign that it has learnt more than that." in summary.text
    assert summary.sentences[-1] == "A simple word-count model does no better (85 times in 100)."
    assert summary.worth_it is False


def test_too_few_rows_say_how_many_more_are_needed_and_judge_nothing():
    summary = classification_summary(against(2, 11, 12), against(3, 11, 12), against(11, 11, 12), "messages")
    assert summary.text == (
        "On 12 messages it never saw, it is right 11 times in 12 (65 to 100 in 100); the base model 2. "
        "Not enough data: 12 messages cannot tell a difference from chance. It takes at least 30, 18 more."
    )
    assert summary.verdict is Verdict.NOT_ENOUGH_DATA and summary.worth_it is None


def test_no_evidence_says_how_many_more_rows_would_tell():
    summary = classification_summary(against(150, 158, 300, shift=40), noun="messages")
    assert summary.verdict is Verdict.NO_EVIDENCE
    assert "No evidence of a difference: it may be chance. About " in summary.text
    assert summary.text.endswith("more messages would tell.")


def test_a_worse_model_is_called_worse():
    summary = classification_summary(against(270, 200, 300), noun="messages")
    assert "Worse, and not by chance." in summary.text and summary.worth_it is None


def test_the_same_score_is_not_given_a_number_of_rows():
    assert "they score the same" in classification_summary(against(100, 100, 300)).text


@pytest.mark.parametrize(
    ("right", "n", "words"),
    [
        (1000, 1000, "right 100 times in 100"),
        (999, 1000, "right more than 99 times in 100"),
        (1, 1000, "right less than 1 time in 100"),
        (0, 1000, "right 0 times in 100"),
        (1, 40, "right 1 time in 40"),
        (10, 1000, "right 1 time in 100"),
    ],
)
def test_shares_never_round_to_always_or_never(right: int, n: int, words: str):
    assert words in classification_summary(against(n // 2, right, n)).sentences[0]


def test_where_the_base_model_has_no_opinion_what_stands_in_its_place_is_named():
    summary = classification_summary(None, against(60, 273, 300), against(240, 273, 300), "messages")
    assert summary.sentences[0].endswith("always naming the most frequent category 20.") and summary.worth_it is True
    assert len(summary.sentences) == 3 and "base model" not in summary.text


def test_a_language_model_is_judged_metric_by_metric_and_against_a_search():
    base, tuned, copied = answers(0.1), answers(0.9, seed=1), answers(0.5, seed=2)
    measured = [(metric, metrics.compare(metric, base, tuned)) for metric in (LOSS, CHRF)]
    summary = generation_summary(measured, (CHRF, metrics.compare(CHRF, copied, tuned)), "answers")
    assert summary.sentences[0] == "On 60 answers it never saw:"
    assert summary.sentences[1].startswith("Loss per token 2.") and "); the base model 5." in summary.sentences[1]
    assert summary.sentences[3].startswith("chrF ")
    assert summary.sentences[-1].endswith("fine-tuning was worth it.") and summary.worth_it is True


def test_where_a_search_does_as_well_it_is_said():
    base, tuned = answers(0.1), answers(0.7, seed=1)
    measured = [(LOSS, metrics.compare(LOSS, base, tuned))]
    summary = generation_summary(measured, (CHRF, metrics.compare(CHRF, answers(0.7, seed=5), tuned)))
    assert summary.sentences[-1].endswith("a search over your examples may be all you need.")
    assert summary.worth_it is False and summary.verdict is Verdict.BETTER


def test_a_handful_of_answers_is_not_enough_data():
    measured = [(LOSS, metrics.compare(LOSS, answers(0.1, 8), answers(0.9, 8)))]
    summary = generation_summary(measured, noun="answers")
    assert "Not enough data: 8 answers" in summary.text and "22 more" in summary.text
    with pytest.raises(ValueError, match="at least one"):
        generation_summary([])


@pytest.mark.parametrize(
    ("right", "target", "outcome"),
    [(285, 0.9, Outcome.REACHED), (200, 0.9, Outcome.NOT_REACHED), (273, 0.9, Outcome.CANNOT_TELL)],
)
def test_a_target_is_held_against_the_interval(right: int, target: float, outcome: Outcome):
    check = check_success(Success(metric="accuracy", target=target), ACCURACY, wilson(right, 300))
    assert check.outcome is outcome
    assert check.sentence.startswith(f"You hoped for accuracy of at least 90%: {outcome.value}")


def test_a_target_that_cannot_be_told_yet_says_how_many_rows_would_tell():
    check = check_success(Success(metric="accuracy", target=0.9), ACCURACY, wilson(279, 300))
    assert check.outcome is Outcome.CANNOT_TELL and check.rows_needed > 0
    assert f"About {check.rows_needed:,} more test rows would tell." in check.sentence
    total = 300 + check.rows_needed
    assert check_success(
        Success(metric="accuracy", target=0.9), ACCURACY, wilson(round(0.93 * total), total)
    ).outcome in (
        Outcome.REACHED,
        Outcome.CANNOT_TELL,
    )


def test_a_target_below_which_lower_is_better_is_read_the_other_way_round():
    loss = Estimate(value=2.0, n=100, low=1.9, high=2.1)
    for target, outcome in ((2.2, Outcome.REACHED), (1.5, Outcome.NOT_REACHED), (2.05, Outcome.CANNOT_TELL)):
        check = check_success(Success(metric="loss", target=target), LOSS, loss)
        assert check.outcome is outcome and "at most" in check.sentence


def test_a_perfect_score_on_ten_rows_does_not_reach_a_target_yet():
    check = check_success(Success(metric="accuracy", target=0.5), ACCURACY, wilson(10, 10))
    assert check.outcome is Outcome.CANNOT_TELL and check.rows_needed == 20


def test_a_target_that_was_not_measured_or_is_another_metrics_is_noticed():
    assert check_success(Success(metric="chrf", target=40), CHRF, None).outcome is Outcome.CANNOT_TELL
    with pytest.raises(ValueError, match="target is on"):
        check_success(Success(metric="chrf", target=40), ACCURACY, wilson(1, 2))


@pytest.mark.parametrize(
    ("value", "metric", "shown"),
    [(0.91, ACCURACY, "91%"), (0.998, ACCURACY, "99.8%"), (0.002, ACCURACY, "0.2%"), (1.0, ACCURACY, "100%"),
     (2.104, LOSS, "2.10"), (41.27, CHRF, "41.3"), (12345.6, METRICS["perplexity"], "12,346")],
)  # fmt: skip
def test_figures_are_shown_in_the_metrics_own_format(value: float, metric: metrics.Metric, shown: str):
    assert figure(value, metric) == shown


def test_a_range_is_shown_where_there_is_one():
    assert interval(wilson(273, 300), ACCURACY) == "91% (87% to 94%)"
    assert interval(Estimate(value=0.5, n=3), ACCURACY) == "50%"
