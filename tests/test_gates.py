"""The double gate: a smaller gap counts only where quality held, no group lost, and the model still decides."""

from __future__ import annotations

import random

import pytest

from core.data.gates import double_gate, verify
from core.schemas.audits import AuditResult, GapSeries, GateState
from core.schemas.errors import UserError
from core.schemas.estimates import Estimate

ROWS = 400


def audit(
    gaps: dict[str, float], units: int = 60, seed: int = 0, top_share: float = 0.5, axis: str = "gender"
) -> AuditResult:
    """An audit whose gap is, for each group, the given one with noise a template; `""` is the axis as a whole."""
    noise = random.Random(seed)
    series = [
        GapSeries(axis=axis, group=group, values={f"t{i}": gap + noise.uniform(-0.02, 0.02) for i in range(units)})
        for group, gap in gaps.items()
    ]
    share = Estimate(value=top_share, n=200, low=top_share, high=top_share)
    return AuditResult(
        audit="neutral_probes", title="", headline="", unit="probability", gaps=tuple(series), n=units, seconds=0,
        top_class_share=share,
    )  # fmt: skip


def quality(accuracy: float, rows: int = ROWS) -> dict[str, float]:
    return {f"row {i}": float(i < accuracy * rows) for i in range(rows)}


def test_a_smaller_gap_at_equal_quality_is_verified() -> None:
    result = verify(audit({"": 0.3}), audit({"": 0.05}, seed=1), quality(0.9), quality(0.9))
    assert result.state == GateState.VERIFIED and result.gates == ()
    assert result.gap_change is not None and result.gap_change.high < 0 and result.gap_change.n == 60
    assert len(result.reasons) == 2


def test_a_smaller_gap_paid_for_with_quality_is_refused() -> None:
    result = verify(audit({"": 0.3}), audit({"": 0.0}, seed=1), quality(0.9), quality(0.56))
    assert result.state == GateState.REFUSED and result.gates == ("quality",)
    assert any("worse at its task" in reason for reason in result.reasons)


def test_a_collapsed_model_is_refused_whatever_its_gap() -> None:
    result = verify(audit({"": 0.3}), audit({"": 0.0}, seed=1, top_share=0.99), quality(0.9), quality(0.9))
    assert result.state == GateState.REFUSED and "collapse" in result.gates


def test_a_gap_that_did_not_change_is_not_verified() -> None:
    result = verify(audit({"": 0.3}), audit({"": 0.3}, seed=1), quality(0.9), quality(0.9))
    assert result.state == GateState.NOT_VERIFIED and result.gates == ("gap",)


def test_a_gap_that_grew_is_refused() -> None:
    result = verify(audit({"": 0.1}), audit({"": 0.3}, seed=1), quality(0.9), quality(0.9))
    assert result.state == GateState.REFUSED and result.gates == ("gap",)


def test_a_test_set_too_small_to_rule_out_a_loss_is_not_verified_and_says_how_many_rows_would_do() -> None:
    one_lost = quality(0.9, 40) | {"row 0": 0.0, "row 39": 1.0}
    result = verify(audit({"": 0.3}), audit({"": 0.05}, seed=1), quality(0.9, 40), one_lost)
    assert result.state == GateState.NOT_VERIFIED and result.gates == ("quality",)
    assert any("held-out rows could" in reason for reason in result.reasons)


def test_a_group_that_got_worse_is_refused_although_the_whole_got_better() -> None:
    before = audit({"": 0.3, "woman": 0.4, "man": 0.2, "nonbinary": 0.05})
    after = audit({"": 0.1, "woman": 0.05, "man": 0.05, "nonbinary": 0.2}, seed=1)
    result = verify(before, after, quality(0.9), quality(0.9))
    assert result.state == GateState.REFUSED and result.gates == ("groups",)
    assert any("nonbinary" in reason for reason in result.reasons)
    assert set(result.group_changes) == {"gender: woman", "gender: man", "gender: nonbinary"}


def test_a_change_too_small_to_matter_makes_no_group_worse() -> None:
    before = audit({"": 0.3, "woman": 0.3, "man": 0.10})
    after = audit({"": 0.1, "woman": 0.1, "man": 0.105}, seed=0)
    assert verify(before, after, quality(0.9), quality(0.9)).state == GateState.VERIFIED


def test_a_few_units_are_not_enough() -> None:
    result = verify(audit({"": 0.3}, units=10), audit({"": 0.0}, units=10, seed=1), quality(0.9), quality(0.9))
    assert result.state == GateState.NOT_VERIFIED and result.gates == ("gap",)


def test_only_the_axes_that_were_worked_on_count_for_the_gap() -> None:
    before = audit({"": 0.3}).model_copy(update={"gaps": (*audit({"": 0.3}).gaps, *audit({"": 0.1}, axis="age").gaps)})
    after = audit({"": 0.3}, seed=1).model_copy(
        update={"gaps": (*audit({"": 0.3}, seed=1).gaps, *audit({"": 0.0}, seed=1, axis="age").gaps)}
    )
    assert verify(before, after, quality(0.9), quality(0.9), axes=("age",)).state == GateState.VERIFIED
    assert verify(before, after, quality(0.9), quality(0.9), axes=("gender",)).state == GateState.NOT_VERIFIED


def test_audits_or_evaluations_that_share_nothing_are_refused_with_a_reason() -> None:
    with pytest.raises(UserError):
        verify(audit({"": 0.3}), audit({"": 0.1}, axis="age"), quality(0.9), quality(0.9))
    with pytest.raises(UserError):
        verify(audit({"": 0.3}), audit({"": 0.1}), quality(0.9), {"other": 1.0})
    with pytest.raises(ValueError, match="cannot be compared"):
        verify(audit({"": 0.3}), audit({"": 0.1}).model_copy(update={"audit": "other"}), quality(0.9), quality(0.9))


def test_a_change_without_an_interval_opens_no_gate() -> None:
    unknown = Estimate(value=-0.2, n=100)
    fine = Estimate(value=0.0, n=100, low=0.0, high=0.0)
    assert double_gate(unknown, fine).state == GateState.NOT_VERIFIED
    assert double_gate(Estimate(value=-0.2, n=100, low=-0.3, high=-0.1), unknown).state == GateState.NOT_VERIFIED
    assert double_gate(Estimate(value=-0.2, n=100, low=-0.3, high=-0.1), fine).state == GateState.VERIFIED


def test_a_gap_that_changed_by_less_than_a_point_is_neither_better_nor_worse() -> None:
    for value in (0.004, -0.004):
        gap = Estimate(value=value, n=200, low=value - 0.001, high=value + 0.001)
        result = double_gate(gap, Estimate(value=0.0, n=300, low=0.0, high=0.0))
        assert result.state == GateState.NOT_VERIFIED and "too little to matter" in result.reasons[0]


def test_a_few_rows_do_not_show_that_quality_held() -> None:
    result = verify(audit({"": 0.3}), audit({"": 0.05}, seed=1), quality(1.0, 9), quality(1.0, 9))
    assert result.state == GateState.NOT_VERIFIED and result.gates == ("quality",)
    assert any("Too few held-out rows" in reason for reason in result.reasons)
