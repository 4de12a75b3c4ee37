"""Metrics of classifiers: each equals its reference and carries an interval that does not claim too much."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from made_up_predictions import LABELS, classified, named
from sklearn import metrics as reference

from core import metrics
from core.discovery import discover
from core.schemas.families import FAMILIES
from core.schemas.predictions import ClassPrediction, ClassPredictions

METRICS = metrics.registry()


def test_every_metric_declares_what_a_screen_needs():
    for key, metric in METRICS.items():
        assert key == metric.key and metric.title and metric.help.endswith(".") and metric.families
        assert metric.format in ("percent", "number")
    classifier, language_model = metrics.for_family("classifier"), metrics.for_family("causal-lm")
    assert classifier[0].key == "accuracy" and language_model[0].key == "loss"
    assert metrics.for_family("multi-label")[0].key == "micro_f1" and metrics.for_family("regression")[0].key == "mae"
    assert {m.key for family in FAMILIES for m in metrics.for_family(family)} == set(METRICS)


def test_a_new_metric_is_one_new_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "worst_case.py").write_text(
        "from core.metrics._base import CLASSIFIER\nfrom core.metrics._mean import MeanMetric\n"
        "class WorstCase(MeanMetric):\n    key, title, help, families = 'worst', 'Worst', 'A try.', CLASSIFIER\n"
        "PLUGIN = WorstCase()\n"
    )
    monkeypatch.setattr(metrics, "__path__", [*metrics.__path__, str(tmp_path)])
    discover.cache_clear()
    try:
        assert "worst" in metrics.registry()
    finally:
        discover.cache_clear()
        sys.modules.pop("core.metrics.worst_case", None)


def test_no_metric_imports_torch():
    code = "import sys; from core import metrics; metrics.registry(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1]).returncode == 0


def test_accuracy_is_the_share_of_right_rows_with_a_wilson_interval():
    accuracy = METRICS["accuracy"].compute(named(*[("a", "a")] * 81, *[("a", "b")] * 182))
    assert (accuracy.value, accuracy.n, accuracy.method) == (81 / 263, 263, "Wilson")
    assert (round(accuracy.low, 4), round(accuracy.high, 4)) == (0.2553, 0.3662)


def test_accuracy_of_rows_from_few_templates_is_known_less_well():
    alone, grouped = classified(0.8), classified(0.8, groups=20)
    wide, narrow = METRICS["accuracy"].compute(grouped), METRICS["accuracy"].compute(alone)
    assert wide.n == 20 and narrow.n == 400
    assert "by group" in wide.method and wide.value == narrow.value


@pytest.mark.parametrize("accuracy", [0.3, 0.7, 0.95])
def test_classification_metrics_equal_scikit_learn(accuracy: float):
    predictions = classified(accuracy)
    gold, said = [i.gold for i in predictions.items], [i.predicted for i in predictions.items]
    expected = {
        "accuracy": reference.accuracy_score(gold, said),
        "macro_f1": reference.f1_score(gold, said, average="macro"),
        "log_loss": reference.log_loss(gold, predictions.matrix, labels=list(LABELS)),
        "roc_auc": reference.roc_auc_score(gold, predictions.matrix, multi_class="ovr", average="macro"),
    }
    for key, value in expected.items():
        estimate = METRICS[key].compute(predictions)
        assert estimate.value == pytest.approx(value, abs=1e-9), key
        assert estimate.low < value < estimate.high, key
        assert estimate.n == 400


def test_macro_f1_of_a_hand_computed_case():
    # a: precision 2/3, recall 2/2, F1 .8; b: precision 1/1, recall 1/2, F1 2/3.
    f1 = METRICS["macro_f1"].compute(named(("a", "a"), ("a", "a"), ("b", "a"), ("b", "b")))
    assert f1.value == pytest.approx((0.8 + 2 / 3) / 2)


def test_macro_f1_averages_over_the_classes_that_have_rows_even_where_another_was_predicted():
    assert METRICS["macro_f1"].compute(named(("a", "a"), ("a", "c"))).value == pytest.approx(2 / 3)


def test_macro_f1_without_a_mistake_does_not_claim_certainty():
    f1 = METRICS["macro_f1"].compute(named(*[("a", "a"), ("b", "b")] * 20))
    assert f1.value == f1.high == 1.0
    assert 0.85 < f1.low < 0.95


def test_macro_f1_of_many_classes_takes_seconds_not_minutes():
    rng = np.random.default_rng(0)
    gold = rng.integers(0, 77, 1500)
    said = np.where(rng.random(1500) < 0.8, gold, rng.integers(0, 77, 1500))
    predictions = named(*[(f"c{g}", f"c{p}") for g, p in zip(gold, said, strict=True)])
    start = time.process_time()
    estimate = METRICS["macro_f1"].compute(predictions)
    assert time.process_time() - start < 10
    assert estimate.high - estimate.low < 0.06


def test_a_right_answer_that_the_model_never_learnt_counts_as_wrong():
    items = (ClassPrediction("r0", "new", "a", (0.9, 0.1)), ClassPrediction("r1", "a", "a", (0.9, 0.1)))
    predictions = ClassPredictions(("a", "b"), items)
    assert METRICS["accuracy"].compute(predictions).value == 0.5
    assert METRICS["log_loss"].compute(predictions).value == pytest.approx((-math.log(1e-15) - math.log(0.9)) / 2)
    assert metrics.confusion(predictions).labels == ("a", "b", "new")


def test_the_interval_of_roc_auc_is_delongs():
    rng = np.random.default_rng(3)
    gold, scores = np.repeat([1, 0], [40, 160]), np.concatenate([rng.normal(1, 1, 40), rng.normal(0, 1, 160)])
    shares = 1 / (1 + np.exp(-scores))
    items = [
        ClassPrediction(str(i), "yn"[1 - g], "n", (1 - p, p)) for i, (g, p) in enumerate(zip(gold, shares, strict=True))
    ]
    auc = METRICS["roc_auc"].compute(ClassPredictions(("n", "y"), tuple(items)))
    ranks = (scores[:40, None] > scores[None, 40:]).astype(float)
    error = np.sqrt(ranks.mean(axis=1).var(ddof=1) / 40 + ranks.mean(axis=0).var(ddof=1) / 160)
    half = 1.96 * error / (auc.value * (1 - auc.value))
    logit = math.log(auc.value / (1 - auc.value))
    assert auc.value == pytest.approx(ranks.mean())
    assert (auc.low, auc.high) == pytest.approx(
        tuple(1 / (1 + math.exp(-x)) for x in (logit - half, logit + half)), abs=1e-4
    )


def test_a_perfect_or_blind_order_still_has_an_honest_roc_auc():
    perfect = [ClassPrediction(str(i), "ny"[i % 2], "ny"[i % 2], (1 - i % 2, i % 2)) for i in range(40)]
    auc = METRICS["roc_auc"].compute(ClassPredictions(("n", "y"), tuple(perfect)))
    assert auc.value == auc.high == 1.0 and 0.8 < auc.low < 0.9
    blind = [ClassPrediction(str(i), "ny"[i % 2], "n", (0.6, 0.4)) for i in range(40)]
    assert METRICS["roc_auc"].compute(ClassPredictions(("n", "y"), tuple(blind))).value == 0.5
    one_class = [ClassPrediction(str(i), "n", "n", (0.6, 0.4)) for i in range(40)]
    assert METRICS["roc_auc"].compute(ClassPredictions(("n", "y"), tuple(one_class))) is None


def test_calibration_error_of_a_model_that_is_right_half_as_often_as_it_says():
    items = [ClassPrediction(str(i), "ab"[i % 2], "a", (1.0, 0.0)) for i in range(600)]
    predictions = ClassPredictions(("a", "b"), tuple(items))
    error = METRICS["calibration_error"].compute(predictions)
    assert error.value == pytest.approx(0.5, abs=0.01)
    assert 0.4 < error.low < error.value < error.high < 0.6
    assert METRICS["calibration_error"].warning(predictions) == ""


def test_the_interval_of_a_calibration_error_never_leaves_out_the_figure_itself():
    # The most frequent label with its share as confidence, as the baseline says: nearly every resample lies higher.
    for n in (30, 100, 298):
        hits = np.random.default_rng(n).permutation(n) < round(0.22 * n)
        items = tuple(
            ClassPrediction(
                row_id=str(i), gold="a" if hit else "b", predicted="a", probabilities=(0.22, 0.2, 0.2, 0.2, 0.18)
            )
            for i, hit in enumerate(hits)
        )
        error = METRICS["calibration_error"].compute(ClassPredictions(labels=("a", "b", "c", "d", "e"), items=items))
        assert error is not None and error.low is not None and error.high is not None
        assert error.low <= error.value <= error.high


def test_the_calibration_error_of_a_well_calibrated_model_may_be_zero_and_few_rows_are_warned_of():
    rng = np.random.default_rng(0)
    sure = rng.uniform(0.5, 1, 300)
    items = [
        ClassPrediction(str(i), "a" if rng.random() < p else "b", "a", (p, 1 - p)) for i, p in enumerate(sure.tolist())
    ]
    predictions = ClassPredictions(("a", "b"), tuple(items))
    error = METRICS["calibration_error"].compute(predictions)
    assert error.low == 0 <= error.value < error.high < 0.15
    assert "300 rows" in METRICS["calibration_error"].warning(predictions)


def test_metrics_of_probabilities_are_left_out_where_a_model_only_names_a_class():
    predictions = named(("a", "a"), ("b", "a"))
    assert all(METRICS[key].compute(predictions) is None for key in ("roc_auc", "log_loss", "calibration_error"))
    assert metrics.compare(METRICS["log_loss"], predictions, predictions) is None


def test_scores_of_each_class_equal_scikit_learn():
    predictions = classified(0.7)
    gold, said = [i.gold for i in predictions.items], [i.predicted for i in predictions.items]
    expected = reference.classification_report(gold, said, output_dict=True)
    for scores in metrics.per_class(predictions):
        row = expected[scores.label]
        assert scores.n == scores.recall.n == row["support"]
        assert scores.precision.value == pytest.approx(row["precision"])
        assert scores.recall.value == pytest.approx(row["recall"])
        assert scores.f1.value == pytest.approx(row["f1-score"])
        assert scores.f1.low < scores.f1.value < scores.f1.high
        assert scores.few == (row["support"] < 20)


def test_a_class_that_was_never_predicted_has_no_precision_but_a_recall_of_zero():
    scores = {scores.label: scores for scores in metrics.per_class(named(("a", "a"), ("b", "a")))}
    assert scores["b"].precision is None and scores["b"].recall.value == 0.0 and scores["b"].f1.value == 0.0


def test_a_cell_of_the_confusion_matrix_opens_its_rows():
    predictions = classified(0.7)
    table = metrics.confusion(predictions)
    gold, said = [i.gold for i in predictions.items], [i.predicted for i in predictions.items]
    assert np.array_equal(table.counts, reference.confusion_matrix(gold, said, labels=list(table.labels)))
    rows = metrics.cell_rows(predictions, "billing", "refund")
    assert len(rows) == table.counts[0][2] > 0
    assert [row.confidence for row in rows] == sorted((row.confidence for row in rows), reverse=True)
