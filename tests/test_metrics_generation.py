"""Metrics of written text and its likelihood: each equals its reference, in any script."""

from __future__ import annotations

import math

import numpy as np
import pytest
from made_up_predictions import scored, written

from core import metrics
from core.data.copying import copied
from core.metrics.rouge_l import common_subsequence
from core.schemas.estimates import Verdict
from core.schemas.predictions import TextPrediction, TextPredictions

METRICS = metrics.registry()


def test_likelihood_metrics_are_rates_over_all_tokens_and_bytes():
    items = (
        TextPrediction("r0", "p", "r", nll=20.0, scored_tokens=10, correct_tokens=5, n_bytes=50),
        TextPrediction("r1", "q", "r", nll=90.0, scored_tokens=30, correct_tokens=6, n_bytes=90),
        TextPrediction("r2", "s", "r", text="not scored"),
    )
    predictions = TextPredictions(items)
    values = {k: METRICS[k].compute(predictions) for k in ("loss", "perplexity", "token_accuracy", "bits_per_byte")}
    assert values["loss"].value == pytest.approx(2.75) and values["loss"].n == 2
    assert values["perplexity"].value == pytest.approx(math.exp(2.75))
    assert values["token_accuracy"].value == pytest.approx(11 / 40)
    assert values["bits_per_byte"].value == pytest.approx(110 / math.log(2) / 140)
    assert METRICS["loss"].per_item(predictions)[:2] == [2.0, 3.0]
    assert math.isnan(METRICS["loss"].per_item(predictions)[2])


def test_chrf_is_the_mean_of_sacrebleus_sentence_scores():
    from sacrebleu import sentence_chrf

    pairs = [("the cat sat on the mat", "the cat is on the mat"), ("no", "yes indeed"), ("équipe", "équipes")]
    scores = [sentence_chrf(text, [right]).score for text, right in pairs]
    chrf = METRICS["chrf"]
    assert chrf.per_item(written(*pairs)) == pytest.approx(scores)
    assert chrf.compute(written(*pairs)).value == pytest.approx(np.mean(scores))


def test_rouge_l_equals_the_package_rouge_score_on_english():
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"])
    rng = np.random.default_rng(0)
    vocabulary = np.array(["the", "a", "cat", "Dog", "sat,", "on", "mat!", "42", "don't", "re-use", "my_name"])
    pairs = [
        (" ".join(rng.choice(vocabulary, rng.integers(1, 90))), " ".join(rng.choice(vocabulary, 70))) for _ in range(40)
    ]
    expected = [100 * scorer.score(right, text)["rougeL"].fmeasure for text, right in pairs]
    assert METRICS["rouge_l"].per_item(written(*pairs)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("first", "second", "length"), [("abcbdab", "bdcaba", 4), ("", "abc", 0), ("abc", "abc", 3), ("abc", "xyz", 0)]
)
def test_the_longest_common_subsequence_is_found(first: str, second: str, length: int):
    assert common_subsequence(first, second) == common_subsequence(second, first) == length


@pytest.mark.parametrize(
    "text", ["заказ отменён вчера", "订单已经取消了", "मेरा ऑर्डर रद्द करें", "ยกเลิกคำสั่งซื้อ", "ألغِ طلبي"]
)
def test_rouge_l_sees_words_of_every_script(text: str):
    assert METRICS["rouge_l"].compute(written((text, text))).value == 100
    assert 0 < METRICS["rouge_l"].compute(written((text + " x y z", text))).value < 100


def test_exact_match_forgives_capitals_and_spacing_only():
    match = METRICS["exact_match"].compute(written((" Paris\n", "paris"), ("Paris.", "Paris"), ("ﬁne", "fine")))
    assert match.value == pytest.approx(2 / 3) and match.method == "Wilson"


def test_length_is_best_at_one_and_judged_by_its_distance_to_it():
    right = [f"answer number {i}" for i in range(50)]
    short, good = written(*[(r[:2], r) for r in right]), written(*[(r, r) for r in right])
    endless = written(*[(r * (5 + i % 3), r) for i, r in enumerate(right)])
    length = METRICS["length_ratio"]
    assert length.compute(good).value == 1 and length.compute(short).value < 0.2
    assert metrics.compare(length, short, good).verdict is Verdict.BETTER
    assert metrics.compare(length, endless, good).verdict is Verdict.BETTER
    assert metrics.compare(length, endless, good).change.value < 0
    assert metrics.compare(length, good, endless).verdict is Verdict.WORSE


def test_variety_and_repetition_of_hand_computed_texts():
    texts = written(("a b c d", "x"), ("a b c e", "x"))
    # Pairs: ab, bc, cd, ab, bc, ce: 4 different of 6.
    assert METRICS["distinct_2"].compute(texts).value == pytest.approx(4 / 6)
    # Runs of four in "a b c d a b c d": abcd, bcda, cdab, dabc, abcd: 4 different of 5.
    assert METRICS["repeated_4grams"].compute(written(("a b c d a b c d", "x"), ("hi", "x"))).value == pytest.approx(
        0.1
    )


def test_a_model_that_always_says_the_same_is_less_varied():
    rng = np.random.default_rng(0)
    varied = written(*[(" ".join(map(str, rng.integers(0, 200, 12))), "x") for _ in range(60)])
    dull = written(*[("I am sorry to hear that, please write to us", "x")] * 60)
    comparison = metrics.compare(METRICS["distinct_2"], varied, dull)
    assert comparison.verdict is Verdict.WORSE
    assert comparison.base.low < comparison.base.value < comparison.base.high


def test_finished_answers_are_a_share():
    items = [TextPrediction(str(i), str(i), "r", "text", finished=i < 9) for i in range(10)]
    assert METRICS["finished"].compute(TextPredictions(tuple(items))).value == 0.9


@pytest.mark.parametrize("key", ["loss", "perplexity", "bits_per_byte"])
def test_a_lower_loss_is_called_better(key: str):
    base = np.random.default_rng(0).normal(4, 0.8, 100)
    tuned = base - np.random.default_rng(1).normal(0.1, 0.1, 100)
    comparison = metrics.compare(METRICS[key], scored(base), scored(tuned))
    assert comparison.verdict is Verdict.BETTER and comparison.change.value < 0
    assert comparison.change.high < 0 and comparison.p < 0.001
    assert metrics.compare(METRICS[key], scored(base), scored(base)).verdict is Verdict.NO_EVIDENCE


def test_answers_to_the_same_prompt_are_one_independent_example():
    items = [TextPrediction(str(i), f"question {i % 5}", "right", "wrong") for i in range(100)]
    assert METRICS["chrf"].compute(TextPredictions(tuple(items))).n == 5
    unprompted = [TextPrediction(str(i), "", "right", "wrong") for i in range(100)]
    assert METRICS["chrf"].compute(TextPredictions(tuple(unprompted))).n == 100


def test_answers_are_ranked_by_how_much_they_changed():
    base, tuned = written(("a", "a b"), ("x y", "x y"), ("q", "z")), written(("a b", "a b"), ("x", "x y"), ("q", "z"))
    changes = metrics.changed_most(METRICS["rouge_l"], base, tuned)
    assert [change.row_id for change in changes] == ["r0", "r2", "r1"]
    assert changes[0].gain > 0 == changes[1].gain > changes[2].gain
    assert metrics.changed_most(METRICS["distinct_2"], base, tuned) == []


def test_metrics_of_text_are_left_out_where_nothing_was_generated():
    predictions = scored(np.ones(40))
    keys = {metric.key for metric in metrics.for_family("causal-lm") if metric.compute(predictions) is not None}
    assert keys == {"loss", "perplexity", "token_accuracy", "bits_per_byte"}


def test_bleu_of_a_corpus_is_that_of_sacrebleu_with_an_interval_around_it():
    from sacrebleu import corpus_bleu

    rng = np.random.default_rng(0)
    vocabulary = np.array(["the", "a", "cat", "Dog", "sat,", "on", "mat!", "42", "don't", "re-use"])
    right = [" ".join(rng.choice(vocabulary, rng.integers(4, 30))) for _ in range(60)]
    said = [" ".join(w for w in r.split() if rng.random() < 0.8) for r in right]
    found = METRICS["bleu"].compute(written(*zip(said, right, strict=True)))
    assert found.value == pytest.approx(corpus_bleu(said, [right]).score)
    assert found.low < found.value < found.high and found.n == 60


@pytest.mark.parametrize(
    "pairs",
    [
        [("the cat", "the dog")],  # no run of two that agrees
        [("a b c d e", "a b x d e"), ("x", "y")],  # none of three: smoothed
        [("nothing alike here at all", "something quite different indeed")],
        [("", "a b c d")],
    ],
)
def test_bleu_where_runs_are_missing_is_smoothed_as_sacrebleu_does(pairs: list[tuple[str, str]]):
    from sacrebleu import corpus_bleu

    expected = corpus_bleu([text for text, _ in pairs], [[right for _, right in pairs]]).score
    assert METRICS["bleu"].compute(written(*pairs)).value == pytest.approx(expected)


def test_an_answer_with_13_words_of_a_training_row_is_copied_unless_question_or_answer_have_them():
    row = "once a lighthouse keeper wrote down every ship that passed his rock in the long grey winter"
    part = " ".join(row.split()[2:16])
    told = copied(
        [f"Well: {part.upper()}!", part, part, "once a lighthouse keeper", f"x {' '.join(row.split()[:12])} y z", None],
        [("asked", "right"), (f"repeat: {row}", "right"), ("asked", row), ("", ""), ("", ""), ("", "")],
        ["other words", row],
    )
    assert told == [True, False, False, None, False, None]
    items = [TextPrediction(str(i), str(i), "r", "text", copied=one) for i, one in enumerate(told)]
    found = METRICS["copied"].compute(TextPredictions(tuple(items)))
    assert (found.value, found.n, found.method) == (1 / 4, 4, "Wilson")
    assert METRICS["copied"].warning(TextPredictions(tuple(items))) == (
        "only the 4 of 6 answers with at least 13 words can be judged."
    )
