"""What stands behind an evaluation: curves, temperature, thresholds, weak spots, nearest rows, and what to do next."""

from __future__ import annotations

import numpy as np
import pytest
from made_up_predictions import classified
from sklearn import metrics as reference

from core.data import decision_cost, error_slices, nearest_rows, next_steps, score_curves, temperature
from core.data.coach import Advice
from core.data.next_steps import Evidence
from core.data.next_steps._evidence import Near
from core.metrics.roc_auc import one_class_estimate
from core.schemas.analysis import Calibration, Suspect, WeakSlice
from core.schemas.estimates import Estimate, Verdict
from core.schemas.evaluation import EvaluationResult
from core.schemas.examples import Example
from core.schemas.predictions import ClassPrediction, ClassPredictions


def scores(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    own = rng.random(n) < 0.3
    return np.round(rng.normal(size=n) + own, 1), own  # rounded: many ties


@pytest.mark.parametrize("seed", range(5))
def test_curves_and_their_areas_agree_with_scikit_learn(seed):
    values, own = scores(seed)
    false, found, _ = reference.roc_curve(own, values, drop_intermediate=False)
    ours = score_curves.roc(values, own, drawn=10_000)
    assert np.array(ours) == pytest.approx(np.column_stack([false, found]), abs=1e-4)
    precision, recall, _ = reference.precision_recall_curve(own, values)
    assert np.array(score_curves.precision_recall(values, own, drawn=10_000)) == pytest.approx(
        np.column_stack([recall[:-1], precision[:-1]])[::-1], abs=1e-4
    )
    average = score_curves.average_precision(values, own)
    assert average.value == pytest.approx(reference.average_precision_score(own, values))
    area = one_class_estimate(values, own)
    assert area.value == pytest.approx(reference.roc_auc_score(own, values))
    assert area.low < area.value < area.high and average.low < average.value < average.high


def test_a_thinned_curve_keeps_both_ends_and_its_area():
    values, own = scores(1, 20_000)
    values = values + np.random.default_rng(0).normal(size=len(values)) / 1e3
    thinned = np.array(score_curves.roc(values, own))
    assert len(thinned) <= score_curves.DRAWN + 2
    assert thinned[0].tolist() == [0, 0] and thinned[-1].tolist() == [1, 1]
    assert np.trapezoid(thinned[:, 1], thinned[:, 0]) == pytest.approx(reference.roc_auc_score(own, values), abs=1e-3)


def too_sure(seed: int, factor: float, n: int = 2_000) -> ClassPredictions:
    """A model whose logits are `factor` times too large."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, size=(n, 3))
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    gold = [rng.choice(3, p=row) for row in true]
    stated = np.exp(factor * logits) / np.exp(factor * logits).sum(axis=1, keepdims=True)
    items = [
        ClassPrediction(str(i), "abc"[g], "abc"[int(row.argmax())], tuple(row.tolist()))
        for i, (g, row) in enumerate(zip(gold, stated, strict=True))
    ]
    return ClassPredictions(("a", "b", "c"), tuple(items))


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_the_temperature_that_was_put_in_is_found_on_other_rows(factor):
    fitted = temperature.fit(too_sure(0, factor))
    assert fitted == pytest.approx(factor, rel=0.12)
    judged = too_sure(1, factor)
    mended = temperature.scaled(judged, fitted)
    assert [i.predicted for i in mended.items] == [i.predicted for i in judged.items]
    assert mended.matrix.sum(axis=1) == pytest.approx(np.ones(len(judged)))
    loss = [reference.log_loss([i.gold for i in p.items], p.matrix, labels=list("abc")) for p in (judged, mended)]
    assert loss[1] <= loss[0] + 1e-3


def test_few_rows_fit_no_temperature():
    assert temperature.fit(too_sure(0, 2.0, n=40)) is None


@pytest.mark.parametrize(("miss", "false_alarm"), [(5.0, 1.0), (1.0, 5.0), (1.0, 1.0)])
def test_the_threshold_is_the_cheapest_of_all_on_validation_rows(miss, false_alarm):
    rng = np.random.default_rng(3)
    own = rng.random(400) < 0.2
    chances = np.clip(0.3 * rng.random(400) + 0.5 * own * rng.random(400) + 0.1, 0, 1)

    def cost(cut: float) -> float:
        return float((miss * (own & (chances < cut)) + false_alarm * (~own & (chances >= cut))).sum())

    chosen = decision_cost.choose(chances, own, miss, false_alarm)
    assert cost(chosen) == min(cost(cut) for cut in np.linspace(0, 1, 2_001))
    found = decision_cost.judge(chances, own, chosen, miss, false_alarm)
    assert found.chosen.cost.value == pytest.approx(cost(chosen) / 400)
    assert found.change.value == pytest.approx((cost(chosen) - cost(0.5)) / 400)
    with pytest.raises(ValueError, match="above 0"):
        decision_cost.choose(chances, own, 0.0, 1.0)


def test_a_threshold_is_not_chosen_by_the_luck_of_a_few_rows():
    assert decision_cost.choose(np.linspace(0, 1, 100), np.arange(100) >= 95, 5.0, 1.0) is None


VOCABULARY = [f"word{i}" for i in range(60)]


def rows_with_a_weak_spot(seed: int, bad: float) -> tuple[list[str], list[bool], list[str], list[str]]:
    rng = np.random.default_rng(seed)
    texts = [" ".join(rng.choice(VOCABULARY, int(rng.integers(5, 30)))) for _ in range(600)]
    source = ["mail" if i % 4 else "chat" for i in range(600)]
    wrong = [bool(rng.random() < (bad if s == "chat" else 0.1)) for s in source]
    return [f"r{i}" for i in range(600)], wrong, texts, source


def test_a_weak_spot_is_found_and_confirmed():
    ids, wrong, texts, source = rows_with_a_weak_spot(0, 0.4)
    found, tried = error_slices.find(ids, wrong, texts, {"source": source})
    assert [s.title for s in found] == ["source: chat"] and tried > 50
    assert found[0].confirmed.low > found[0].others.high
    by_id = dict(zip(ids, zip(wrong, source, strict=True), strict=True))
    assert all(by_id[row] == (True, "chat") for row in found[0].row_ids)


def test_errors_that_lie_anywhere_make_no_weak_spot():
    found = [error_slices.find(*rows_with_a_weak_spot(seed, 0.1)[:3])[0] for seed in range(8)]
    assert sum(map(len, found)) <= 1


def test_too_few_rows_are_no_slice():
    ids, wrong, texts, source = (part[:50] for part in rows_with_a_weak_spot(0, 0.9))
    assert error_slices.find(ids, wrong, texts, {"source": source})[0] == []


def test_the_nearest_training_rows_share_the_most_words():
    train = [
        Example(row_id=f"t{i}", text=t, label="x") for i, t in enumerate(["red lamp broken", "late parcel", "nice cup"])
    ]
    texts = [e.text for e in train]
    first, none = nearest_rows.nearest(train, texts, ["my parcel is late again", "zzz"], most=2)
    assert first[0].row_id == "t1" and first[0].label == "x" and 0 < first[0].similarity <= 1
    assert none == ()
    same = nearest_rows.nearest(train, texts, ["nice cup"])[0][0]
    assert same.row_id == "t2" and same.similarity == pytest.approx(1.0, abs=1e-3)


# -- what to do next ----------------------------------------------------------------------------------------------------


def result(**changes: object) -> EvaluationResult:
    tuned = classified(0.7)
    from core.metrics import confusion, per_class

    table = confusion(tuned)
    known = {
        "split": "test",
        "n": 400,
        "family": "classifier",
        "headline": "accuracy",
        "metrics": (),
        "labels": table.labels,
        "matrix": table.counts,
        "per_class": tuple(row.model_dump(mode="json") for row in per_class(tuned)),
        "contents": {"tuned": "x", "tfidf": "y"},
        "verdict": Verdict.BETTER,
        "sentences": (),
    }
    return EvaluationResult.model_validate({**known, **changes})


def said(evidence: Evidence) -> dict[str, object]:
    return {step.rule: step for step in next_steps.rank(evidence)}


def test_two_labels_that_are_taken_for_one_another_lead_to_the_training_rows_between_them():
    near = [
        Near("r1", "billing", "delivery", "t9", "delivery", 0.6),
        Near("r2", "refund", "billing", "t8", "refund", 0.6),
    ]
    matrix = ((50, 20, 0, 0), (3, 50, 0, 0), (0, 1, 50, 0), (0, 0, 1, 50))
    step = said(Evidence(result(matrix=matrix), wrong=25, near=near))["confused_pair"]
    assert "23 of 25" in step.title and "“billing” and “delivery”" in step.title
    assert step.target == "dataset" and step.settings["queue"] == ["t9"]
    assert step.settings["merge"] == {"delivery": "billing"}


def test_a_rare_label_that_is_missed_is_weighted_in_the_next_round_unless_it_was():
    rows = {"billing": 500, "delivery": 300, "refund": 150, "technical": 20}
    classes = [dict(row) for row in result().per_class]
    for row in classes:
        row["recall"] = {"value": 0.3 if row["label"] == "technical" else 0.9, "n": 20, "low": 0.1, "high": 0.6}
    evidence = {"result": result(per_class=tuple(classes)), "wrong": 40, "train_rows": rows}
    step = said(Evidence(**evidence))["rare_label"]
    assert "“technical” (20 training rows)" in step.title and step.settings == {"recipe": {"balance": "weights"}}
    assert "rare_label" not in said(Evidence(**evidence, balance="weights"))


def test_what_the_coach_says_prepares_the_next_recipe():
    advice = [
        Advice(
            kind="underfitting",
            severity="warning",
            step=9,
            title="Stopped early",
            text="",
            marks=(),
            action="more_epochs",
        )
    ]
    step = said(Evidence(result(), wrong=40, advice=advice))["curves"]
    assert step.target == "recipe" and step.settings == {"action": "more_epochs"}


def test_a_model_that_is_too_sure_gets_label_smoothing_where_chance_is_ruled_out():
    def calibration(low: float) -> Calibration:
        error = Estimate(value=0.12, n=400, low=low, high=0.2)
        return Calibration(
            temperature=1.8, fitted_on=200, before=(), error_before=error, error_after=error, loss_before=None
        )

    assert said(Evidence(result(), wrong=40, calibration=calibration(0.08)))["too_sure"].settings == {
        "recipe": {"label_smoothing": 0.1}
    }
    assert "too_sure" not in said(Evidence(result(), wrong=40, calibration=calibration(0.0)))


def test_a_verdict_that_is_open_says_how_many_rows_would_settle_it():
    step = said(Evidence(result(verdict=Verdict.NO_EVIDENCE), wrong=40, rows_to_decide=260))["few_test_rows"]
    assert "260 more test rows" in step.title and step.target == "dataset"


def test_doubtful_labels_go_to_the_queue_and_are_never_changed_here():
    suspect = Suspect(row_id="r1", label="a", suggested="b", confidence=0.02, probability=0.9)
    step = said(Evidence(result(), wrong=40, suspects=[suspect]))["label_errors"]
    assert step.settings["suspects"][0]["row_id"] == "r1" and "never applied" in step.text


def test_errors_that_repeat_a_similar_training_row_lead_to_that_row():
    near = [Near(f"r{i}", "a", "b", f"t{i % 2}", "b", 0.8) for i in range(4)]
    step = said(Evidence(result(), wrong=40, near=near))["wrong_teachers"]
    assert step.settings["queue"] == ["t0", "t1"]
    assert "wrong_teachers" not in said(
        Evidence(result(), wrong=40, near=[n.__class__(*n.__dict__.values()) for n in near[:2]])
    )


def test_weak_spots_failures_on_new_ground_and_a_simpler_way_are_told():
    share = Estimate(value=0.5, n=60, low=0.4, high=0.6)
    weak = WeakSlice(kind="length", title="long texts", found=share, confirmed=share,
                     others=share.model_copy(update={"value": 0.1}), h=0.9, row_ids=("r1",))  # fmt: skip
    near = [Near(f"r{i}", "a", "b", "", "", 0.05) for i in range(6)]
    steps = said(Evidence(result(worth_it=False), wrong=40, slices=[weak], near=near))
    assert "long texts" in steps["weak_slice"].title and steps["simpler_way"].target == "model"
    assert len(steps["far_from_training"].row_ids) == 6


def test_a_good_result_with_thin_evidence_asks_for_nothing():
    assert set(said(Evidence(result(matrix=((9, 0),) * 2, labels=("a", "b"), per_class=()), wrong=0))) == set()


def test_steps_come_by_what_they_might_put_right():
    near = [Near(f"r{i}", "a", "b", f"t{i}", "b", 0.8) for i in range(30)]
    advice = [
        Advice(kind="plateau", severity="info", step=9, title="A plateau", text="", marks=(), action="regularise")
    ]
    steps = next_steps.rank(Evidence(result(), wrong=40, near=near, advice=advice))
    assert [s.gain for s in steps] == sorted((s.gain for s in steps), reverse=True)
