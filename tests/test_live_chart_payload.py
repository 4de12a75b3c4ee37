"""What a live chart sends to the browser, and the smoothing of its curves."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.ui.curves import clipped, colours_of, smooth
from core.ui.live_chart import Marker, Trace, payload


def send(*traces: Trace, **changes: Any) -> dict[str, Any]:
    settings = {"log_y": False, "height": 320, "events": (), "empty_reason": ""} | changes
    return payload("run.1.loss", traces, "Step", "Loss", **settings)


def test_curves_over_the_same_steps_send_them_once() -> None:
    steps = list(range(100))
    data = send(Trace("a", steps, steps), Trace("b", steps, steps), Trace("c", [1], [1]))
    assert len(data["x"]) == 2
    assert [t["x"] for t in data["traces"]] == [0, 0, 1]


def test_three_curves_of_512_points_take_less_than_20_kilobytes() -> None:
    x = [17 * i for i in range(512)]
    y = [2 + math.sin(i) / 3 for i in range(512)]
    assert len(json.dumps(send(*[Trace(n, x, y) for n in "abc"]))) < 20_000


def test_gaps_and_infinities_travel_as_null_and_numpy_values_as_plain_numbers() -> None:
    y = np.array([0.123456789, np.nan, np.inf, 3.0], dtype=np.float32)
    data = send(Trace("a", np.arange(4), y))
    assert data["traces"][0]["y"] == [0.12346, None, None, 3]
    json.dumps(data, allow_nan=False)


def test_a_curve_without_a_single_point_is_left_out_and_the_reason_is_sent() -> None:
    data = send(Trace("a", [1, 2], [None, math.nan]), empty_reason="Measured at step 200.")
    assert data["traces"] == []
    assert data["empty_reason"] == "Measured at step 200."


def test_a_faint_curve_is_a_companion_only_of_a_curve_with_its_name() -> None:
    data = send(Trace("a", [1], [1], faint=True), Trace("a", [1], [1]), Trace("b", [1], [1], faint=True))
    assert [t.get("companion") for t in data["traces"]] == [True, None, False]


def test_a_shared_curve_stands_in_the_legend_of_another_and_alone_in_its_own() -> None:
    data = send(Trace("a", [1], [1]), Trace("a", [1], [1], dashed=True, shared=True), Trace("b", [1], [1], shared=True))
    assert [t.get("companion") for t in data["traces"]] == [None, True, False]
    assert "faint" not in data["traces"][1]


def test_a_quiet_mark_is_a_line_without_a_label() -> None:
    assert send(events=[Marker(3, "paused", quiet=True)])["events"][0]["quiet"]
    assert "quiet" not in send(events=[Marker(3, "paused", quiet=True), Marker(3, "best")])["events"][0]


def test_the_description_names_the_latest_values() -> None:
    assert send(Trace("Training", [1, 2, 3], [3, 2.5, None]))["alt"] == "Loss by Step. Latest: Training 2.5."


def test_lengths_that_differ_and_unknown_colours_are_refused() -> None:
    with pytest.raises(ValueError, match="2 x values but 1 y"):
        send(Trace("a", [1, 2], [1]))
    with pytest.raises(ValueError, match="mauve"):
        send(Trace("a", [1], [1], colour="mauve"))  # type: ignore[arg-type]


def test_the_chart_runs_in_a_screen() -> None:
    def script() -> None:
        from core.ui.live_chart import Marker, Trace, live_chart

        live_chart("loss", [Trace("a", [1], [1])], "Step", "Loss", events=[Marker(1, "Checkpoint")])
        live_chart("accuracy", [], "Step", "Accuracy")

    assert not AppTest.from_function(script, default_timeout=30).run().exception


def test_markers_are_sent_with_their_role() -> None:
    assert send(events=[Marker(3, "Paused")])["events"] == [{"x": 3, "label": "Paused", "colour": "neutral"}]


def test_smoothing_with_weight_zero_is_the_curve_itself() -> None:
    assert smooth([3, 1, 2], 0) == [3, 1, 2]


def test_smoothing_does_not_pull_the_start_towards_zero() -> None:
    assert smooth([2.0] * 50, 0.95) == pytest.approx([2.0] * 50)


def test_smoothing_follows_the_debiased_average() -> None:
    # By hand: (0.5*0.5*1 + 0.5*3) / (1 - 0.25)
    assert smooth([1, 3], 0.5)[1] == pytest.approx((0.25 + 1.5) / 0.75)


def test_a_missing_point_stays_a_gap_and_does_not_enter_the_average() -> None:
    smoothed = smooth([1.0, None, math.nan, 1.0], 0.9)
    assert smoothed[1] is None and smoothed[2] is None
    assert smoothed[3] == pytest.approx(1.0)


def test_a_weight_of_one_is_refused() -> None:
    with pytest.raises(ValueError, match="weight"):
        smooth([1], 1.0)


def test_marks_at_one_place_share_a_line_and_a_small_one_disappears_beside_a_loud_one() -> None:
    marks = [
        Marker(20, "checkpoint", small=True), Marker(20, "paused"), Marker(20, "continued"), Marker(10, "checkpoint", small=True),
        Marker(20, "best loss 1.2", "accent"),
    ]  # fmt: skip
    assert send(events=marks)["events"] == [
        {"x": 10, "label": "checkpoint", "colour": "neutral", "small": True},
        {"x": 20, "label": "paused, continued, best loss 1.2", "colour": "accent"},
    ]


def test_a_clipped_range_leaves_a_spike_out_and_keeps_the_newest_point_in() -> None:
    values = [1.0 + i % 5 / 10 for i in range(200)]
    low, high = clipped([Trace("a", range(201), [*values[:100], 900.0, *values[100:]])]) or (0, 0)
    assert 0.9 < low <= 1.0 and 1.4 <= high < 1.5
    _, high = clipped([Trace("a", range(201), [*values, 5.0])]) or (0, 0)
    assert high > 5, "what happens now is always seen"


def test_too_few_points_or_a_flat_curve_are_not_clipped() -> None:
    assert clipped([]) is None
    assert clipped([Trace("a", [1, 2], [1, 900])]) is None
    assert clipped([Trace("a", range(50), [2.0] * 50)]) is None


def test_a_log_axis_is_never_clipped_at_or_below_zero() -> None:
    assert send(log_y=True, clip=(-1.0, 2.0))["clip"] == [None, 2]
    assert send(log_y=False, clip=(-1.0, 2.0))["clip"] == [-1, 2]
    assert send()["clip"] is None


def test_a_run_keeps_its_colour_when_others_are_added_and_no_two_share_one() -> None:
    first = colours_of([4, 9])
    more = colours_of([4, 9, 8, 12, 5, 1, 2])
    assert {n: more[n] for n in (4, 9)} == first
    assert len(set(more.values())) == 7
    assert not set(colours_of([3, 4, 5, 6]).values()) & {1, 2}, "the run itself has these"
    assert len(colours_of(list(range(20)))) == 20
