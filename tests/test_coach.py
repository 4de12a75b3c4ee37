"""The coach: each rule speaks on a curve that shows its fault, and none speaks on a healthy run."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.data import coach
from core.schemas.curves import CURVES
from core.schemas.recipe import Recipe
from core.services import coaching

TOTAL = 100
EVALUATED = range(0, TOTAL + 1, 10)


def falling(start: float, end: float, speed: float = 20.0) -> list[tuple[int, float]]:
    """A curve that falls quickly first and levels off."""
    return [(s, end + (start - end) * math.exp(-s / speed)) for s in EVALUATED]


def noisy(start: float, end: float, speed: float = 20.0) -> list[tuple[int, float]]:
    source = random.Random(0)
    return [(s, (end + (start - end) * math.exp(-s / speed)) * source.uniform(0.9, 1.1)) for s in range(1, TOTAL + 1)]


HEALTHY: dict[str, Any] = {
    "validation": falling(1.1, 0.4),
    "train": falling(1.1, 0.35),
    "batch": noisy(1.1, 0.35),
    "grad_norm": [(s, 1.0 + 0.2 * (s % 3)) for s in range(1, TOTAL + 1)],
    "total_steps": TOTAL,
    "warmup_steps": 5,
    "guessing": math.log(3),
}


def advice(**changes: Any) -> dict[str, coach.Advice]:
    return {a.kind: a for a in coach.read(coach.Curves(**{**HEALTHY, **changes}))}


def test_a_healthy_run_gets_no_advice_at_any_moment_of_it() -> None:
    for step in range(TOTAL + 1):
        curves = {k: [p for p in HEALTHY[k] if p[0] <= step] for k in ("validation", "train", "batch", "grad_norm")}
        assert advice(**curves) == {}, f"at step {step}"


def test_a_run_without_any_points_gets_no_advice() -> None:
    assert advice(validation=[], train=[], batch=[], grad_norm=[], total_steps=0, warmup_steps=0, guessing=None) == {}


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_a_loss_that_is_no_number_is_an_error_at_its_step(value: float | None) -> None:
    (found,) = advice(batch=[*HEALTHY["batch"][:40], (41, value)]).values()
    assert (found.kind, found.severity, found.step, found.action) == ("nan", "error", 41, "lower_learning_rate")


def test_validation_rising_while_training_falls_is_overfitting_since_its_lowest_point() -> None:
    rising = [(s, 0.5 + abs(s - 30) * (0.01 if s < 30 else 0.004)) for s in EVALUATED]
    (found,) = advice(validation=rising, train=falling(1.1, 0.05, 30)).values()
    assert (found.kind, found.step, found.action) == ("overfitting", 30, "fewer_epochs")


@pytest.mark.parametrize(
    ("validation", "train", "why"),
    [
        ([0.9, 0.6, 0.5, 0.505, 0.507], [1.0, 0.7, 0.5, 0.4, 0.3], "less than 2% above the best"),
        ([0.9, 0.7, 0.6, 0.5, 0.6], [1.0, 0.7, 0.5, 0.4, 0.3], "only one evaluation past the best"),
        ([0.9, 0.6, 0.5, 0.6, 0.7], [1.0, 0.7, 0.5, 0.6, 0.7], "training rises too: that is no memorising"),
    ],
)
def test_what_only_looks_like_overfitting_is_not_called_so(
    validation: list[float], train: list[float], why: str
) -> None:
    points = {
        "validation": list(zip(range(0, 50, 10), validation, strict=True)),
        "train": list(zip(range(0, 50, 10), train, strict=True)),
    }
    assert "overfitting" not in advice(**points), why


def test_overfitting_is_not_judged_while_the_training_curve_has_no_point_before_the_best() -> None:
    rising = [(s, 0.5 + s / 100) for s in EVALUATED]
    assert "overfitting" not in advice(validation=rising, train=[(90, 0.3), (100, 0.2)])


def test_a_classifier_that_still_guesses_after_a_fifth_of_the_steps_is_not_learning() -> None:
    flat = [(s, math.log(3) - 0.001 * (s % 3)) for s in range(0, 41, 10)]
    found = advice(train=flat, validation=flat, batch=HEALTHY["batch"][:40])
    assert found["not_learning"].action == "raise_learning_rate"
    early = [(s, math.log(3)) for s in (0, 5, 10)]
    assert advice(train=early, validation=early) == {}


def test_a_language_model_whose_loss_hardly_moves_is_not_learning() -> None:
    flat = [(s, 4.0 - 0.0002 * s) for s in range(0, 41, 10)]
    assert "not_learning" in advice(train=flat, validation=flat, guessing=None)
    slow = [(s, 4.0 - 0.002 * s) for s in range(0, 41, 10)]
    assert "not_learning" not in advice(train=slow, validation=slow, guessing=None)


def test_a_loss_above_that_of_the_start_after_warm_up_is_diverging() -> None:
    climbing = [(s, 1.0 + max(0, s - 10) * 0.02) for s in range(1, 61)]
    (found,) = [a for a in advice(batch=climbing).values() if a.kind == "rate_too_high"]
    assert (found.step, found.action) == (60, "lower_learning_rate")


def test_a_sudden_gradient_with_a_loss_above_the_start_is_diverging() -> None:
    slightly = [(s, 1.0 if s <= 50 else 1.02) for s in range(1, 61)]
    calm = [(s, 1.0) for s in range(1, 61)]
    assert "rate_too_high" not in advice(batch=slightly, grad_norm=calm)
    assert "rate_too_high" in advice(batch=slightly, grad_norm=[*calm[:-1], (60, 50.0)])


def test_a_rising_loss_during_warm_up_is_not_yet_called_diverging() -> None:
    climbing = [(s, 1.0 + s * 0.02) for s in range(1, 41)]
    assert "rate_too_high" not in advice(batch=climbing, warmup_steps=35)


def test_both_losses_falling_to_the_very_end_mean_that_it_stopped_too_soon() -> None:
    straight = [(s, 2.0 - s / 100) for s in EVALUATED]
    (found,) = advice(validation=straight, train=straight, guessing=None).values()
    assert (found.kind, found.severity, found.step, found.action) == ("underfitting", "info", TOTAL, "more_epochs")
    assert advice(validation=straight[:-1], train=straight[:-1], guessing=None) == {}, "before the end it is no finding"


def test_a_loss_that_is_nearly_nothing_is_not_called_still_improving() -> None:
    tiny = [(s, 1.1 * math.exp(-s / 8)) for s in EVALUATED]
    assert advice(validation=tiny, train=tiny) == {}


def test_a_rising_loss_with_answers_as_good_as_ever_is_too_sure_and_not_overfitting() -> None:
    rising = [(s, 0.5 + abs(s - 30) * (0.01 if s < 30 else 0.004)) for s in EVALUATED]
    flat = [(s, 0.9) for s in EVALUATED]
    (found,) = advice(validation=rising, train=falling(1.1, 0.05, 30), f1=flat, f1_name="macro_f1").values()
    assert (found.kind, found.action, found.now) == ("too_sure", "best_by_macro_f1", "stop")
    chosen = {"f1": flat, "f1_name": "macro_f1", "best_by": "macro_f1"}
    (done,) = advice(validation=rising, train=falling(1.1, 0.05, 30), **chosen).values()
    assert not done.action and "already" in done.text, "what is so already is not advised"
    worse = [(s, 0.9 if s <= 30 else 0.8) for s in EVALUATED]
    assert "overfitting" in advice(validation=rising, train=falling(1.1, 0.05, 30), f1=worse, f1_name="macro_f1")


def test_a_validation_loss_far_above_that_of_training_is_a_gap_unless_both_are_nearly_nothing() -> None:
    (found,) = advice(validation=falling(1.1, 0.5), train=falling(1.1, 0.2)).values()
    assert (found.kind, found.action) == ("large_gap", "regularise")
    assert advice(validation=falling(1.1, 0.03, 8), train=falling(1.1, 0.01, 8)) == {}


def test_three_evaluations_without_change_are_a_plateau_while_there_are_steps_to_go() -> None:
    flat = [(0, 1.1), (10, 0.8), (20, 0.6), (30, 0.500), (40, 0.501), (50, 0.4995), (60, 0.5)]
    found = advice(validation=flat, train=flat)["plateau"]
    assert (found.step, found.now, [m.step for m in found.marks]) == (30, "stop", [30, 60])
    late = [(s + 30 if s else 0, v) for s, v in flat]
    assert "plateau" not in advice(validation=late, train=late), "the end of every curve is flat"
    never = [(s, 1.1) for s, _ in flat]
    assert "plateau" not in advice(validation=never, train=never), "what never learned is no plateau"


def test_a_jump_that_does_not_come_back_is_a_spike_at_its_step() -> None:
    steady = noisy(1.1, 0.35)[:70]
    jumped = [*steady, *((s, 0.8) for s in range(71, 100))]
    found = advice(batch=jumped)["spike"]
    assert (found.step, found.action) == (71, "halve_learning_rate")
    back = [*steady, (71, 3.0), *((s, 0.4) for s in range(72, 100))]
    assert "spike" not in advice(batch=back)


def test_an_accuracy_of_one_after_the_first_round_looks_too_good_where_there_are_rows_enough() -> None:
    perfect = [(0, 0.3), (10, 0.999), (20, 1.0)]
    early = {"right": perfect, "right_name": "accuracy", "steps_per_epoch": 25}
    assert advice(**early, held_out=200)["too_good"].step == 10
    assert "too_good" not in advice(**early, held_out=20)
    assert "too_good" not in advice(
        right=[(0, 0.3), (90, 1.0)], right_name="accuracy", steps_per_epoch=25, held_out=200
    )


def test_one_word_that_answers_as_well_as_the_model_is_named() -> None:
    scores = [(0, 0.3), (50, 0.93), (100, 0.95)]
    known = {"right": scores, "right_name": "accuracy", "held_out": 200, "steps_per_epoch": 10}
    found = advice(**known, one_word=("refund", 0.96))["too_good"]
    assert "“refund”" in found.text
    assert "too_good" not in advice(**known, one_word=("refund", 0.7))


def test_a_loss_that_falls_only_between_rounds_is_stairs() -> None:
    stairs = [(s, 1.0 * 0.7 ** ((s - 1) // 25) + 0.002 * (s % 3)) for s in range(1, 101)]
    assert advice(batch=stairs, steps_per_epoch=25)["stairs"].step == 25
    straight = [(s, 1.2 - s / 100) for s in range(1, 101)]
    assert "stairs" not in advice(batch=straight, steps_per_epoch=25)


def test_a_loss_that_moves_by_less_than_two_percent_in_a_third_of_the_steps_is_slow() -> None:
    slow = [(s, 4.0 - 0.0015 * s) for s in EVALUATED]
    found = advice(train=slow, validation=slow, guessing=None)
    assert list(found) == ["rate_too_low"]


def test_every_rule_is_a_file_with_a_place_in_the_order() -> None:
    rules = coach.rules()
    assert len(rules) == 12
    assert {name for rule in rules.values() for name in rule.silenced_by} <= rules.keys()


def test_what_happens_within_a_few_steps_is_no_plateau_however_often_it_is_measured() -> None:
    often = [(s, 0.5 + 0.6 * math.exp(-s / 40)) for s in range(0, 71, 1)]
    assert "plateau" not in advice(validation=often, train=often)


# -- what is offered ---------------------------------------------------------------------------------------------------

RISING = [(s, 0.5 + abs(s - 30) * (0.01 if s < 30 else 0.004)) for s in EVALUATED]
STRAIGHT = [(s, 2.0 - s / 100) for s in EVALUATED]
STILL = [(s, math.log(3)) for s in EVALUATED]
SLOW = [(s, 4.0 - 0.0015 * s) for s in EVALUATED]
FLAT = [(0, 1.1), (10, 0.8), (20, 0.6), (30, 0.500), (40, 0.501), (50, 0.4995), (60, 0.5)]
PROVOKED: dict[str, dict[str, Any]] = {
    "nan": {"batch": [(1, None)]},
    "rate_too_high": {"batch": [(s, 1.0 + max(0, s - 10) * 0.02) for s in range(1, 61)]},
    "spike": {"batch": [*noisy(1.1, 0.35)[:70], *((s, 0.8) for s in range(71, 100))]},
    "overfitting": {"validation": RISING, "train": falling(1.1, 0.05, 30)},
    "too_sure": {
        "validation": RISING, "train": falling(1.1, 0.05, 30), "f1": [(s, 0.9) for s in EVALUATED], "f1_name": "micro_f1",
    },
    "large_gap": {"validation": falling(1.1, 0.5), "train": falling(1.1, 0.2)},
    "not_learning": {"train": STILL, "validation": STILL},
    "rate_too_low": {"train": SLOW, "validation": SLOW, "guessing": None},
    "plateau": {"validation": FLAT, "train": FLAT},
    "underfitting": {"validation": STRAIGHT, "train": STRAIGHT, "guessing": None},
    "too_good": {"right": [(0, 0.3), (10, 1.0)], "right_name": "mae", "steps_per_epoch": 25, "held_out": 200},
    "stairs": {
        "batch": [(s, 1.0 * 0.7 ** ((s - 1) // 25) + 0.002 * (s % 3)) for s in range(1, 101)], "steps_per_epoch": 25,
    },
}  # fmt: skip


def test_every_rule_is_provoked_here() -> None:
    assert PROVOKED.keys() == coach.rules().keys()


@pytest.mark.parametrize("kind", PROVOKED)
def test_every_advice_marks_what_it_speaks_of_and_can_be_taken(kind: str) -> None:
    found = advice(**PROVOKED[kind])[kind]
    assert found.marks
    for mark in found.marks:
        assert 0 <= mark.step <= TOTAL and mark.curve in CURVES and mark.label
    assert found.step in {m.step for m in found.marks} or kind in ("underfitting", "rate_too_high")
    assert found.action or found.look
    if found.action:
        changed = coaching.apply(Recipe(), found.action)
        assert coaching.TITLES[found.action] and changed != Recipe()
        Recipe.model_validate(changed.model_dump())
    if found.look:
        assert coaching.LOOKS[found.look]


def panel(state, said):  # its source becomes a script of its own: no names from here
    from types import SimpleNamespace

    from core.data.coach import Advice
    from core.schemas.jobs import Desired, JobState
    from core.ui.coach_panel import coach_panel

    run, job = SimpleNamespace(id="r"), SimpleNamespace(state=JobState(state), desired=Desired.RUN)
    coach_panel(run, job, [Advice.model_validate(a) for a in said])


@pytest.mark.parametrize("state", ["running", "done"])
def test_every_advice_has_a_button_while_the_run_is_at_work_and_afterwards(state: str) -> None:
    said = [advice(**changes)[kind] for kind, changes in PROVOKED.items()]
    given = {"state": state, "said": [a.model_dump() for a in said]}
    app = AppTest.from_function(panel, default_timeout=60, kwargs=given).run()
    assert not app.exception
    for each in said:
        keys = {b.key for b in app.button if b.key and b.key.endswith(f"-r-{each.kind}")}
        wanted = {f"advice-r-{each.kind}" if each.action else "", f"look-r-{each.kind}" if each.look else ""}
        wanted |= {f"stop-r-{each.kind}" if each.now and state == "running" else ""}
        assert keys == wanted - {""} and keys, each.kind
    app.button(key="advice-r-plateau").click().run()
    assert app.session_state["take-r"] == "fewer_epochs"
