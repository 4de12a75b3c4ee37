"""Predictions: joined from a predictor, stored and read back, refused where they are broken."""

from __future__ import annotations

import math
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from made_up_predictions import classified, named

from core.schemas.errors import UserError
from core.schemas.examples import Example, Message
from core.schemas.predictions import ClassPrediction, ClassPredictions, TextPrediction, TextPredictions
from core.schemas.predictor import Generation, Score


def test_class_predictions_come_back_whole_from_a_parquet_file(tmp_path: Path):
    predictions = classified(0.7, n=50, groups=5)
    pq.write_table(predictions.to_table(), tmp_path / "p.parquet")
    assert ClassPredictions.from_table(pq.read_table(tmp_path / "p.parquet")) == predictions
    without = named(("a", "b"))
    assert ClassPredictions.from_table(without.to_table()) == without


def test_text_predictions_come_back_whole_from_a_parquet_file(tmp_path: Path):
    items = (
        TextPrediction("r0", "p", "r", "t", True, 3, 1.5, 4, 2, 9, "g"),
        TextPrediction("r1", "p", "r", None),
        TextPrediction("r2", "p", "", ""),
    )
    pq.write_table(TextPredictions(items).to_table(), tmp_path / "p.parquet")
    assert TextPredictions.from_table(pq.read_table(tmp_path / "p.parquet")) == TextPredictions(items)


def test_predictions_are_joined_from_what_a_predictor_returns():
    examples = [Example(row_id="r0", text="hi", label="b"), Example(row_id="r1", text="ho", label="a")]
    predictions = ClassPredictions.of(("a", "b"), examples, [[0.2, 0.8], [0.3, 0.7]])
    assert [(item.gold, item.predicted, item.confidence) for item in predictions.items] == [
        ("b", "b", 0.8),
        ("a", "b", 0.7),
    ]
    asked = (Message(role="system", content="Be kind."), Message(role="user", content="Hello?"))
    item = TextPrediction.of(
        "r0",
        asked,
        "Hi!",
        Generation(text="Hey", tokens=2, finished=True),
        Score(nll=3.0, tokens=2, correct=1, n_bytes=3),
    )
    assert (item.prompt, item.text, item.nll, item.finished) == ("system: Be kind.\nuser: Hello?", "Hey", 3.0, True)


def test_a_model_whose_weights_ran_out_of_range_is_named_and_not_measured():
    with pytest.raises(UserError, match="not numbers"):
        ClassPredictions.of(("a", "b"), [Example(row_id="r", label="a")], [[math.nan, math.nan]])
    with pytest.raises(UserError, match="not numbers"):
        TextPrediction.of("r", "p", "r", score=Score(nll=math.inf, tokens=2, correct=1, n_bytes=3))


def test_broken_predictions_are_refused():
    item = ClassPrediction("r", "a", "a", (1.0,))
    with pytest.raises(ValueError, match="predicted twice"):
        ClassPredictions(("a",), (item, item))
    with pytest.raises(ValueError, match="2 labels"):
        ClassPredictions(("a", "b"), (item,))
