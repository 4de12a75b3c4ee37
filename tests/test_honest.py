"""Test rows that repeat training rows: both scores are given, and the verdict rests on the honest one."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from core.schemas.estimates import Verdict
from core.schemas.evaluation import EvaluationResult
from core.schemas.examples import Example
from core.schemas.predictions import ClassPredictions
from core.services import evaluations, honest

WORDS = "order lamp kettle parcel refund late broken bright address change phone answer money box chair cup".split()


def rows(prefix: str, n: int, seed: int) -> list[Example]:
    rng = random.Random(seed)
    return [
        Example(row_id=f"{prefix}{i}", text=" ".join(rng.choices(WORDS, k=14)), label="ab"[i % 2]) for i in range(n)
    ]


def planted(copies: int, clean: int) -> dict[str, list[Example]]:
    """Half of `copies` are training texts in capitals, half have a word more."""
    train = rows("t", 100, 1)
    leaked = [
        Example(row_id=f"leak{i}", text=e.text.upper() if i % 2 else e.text + " please", label=e.label)
        for i, e in enumerate(train[:copies])
    ]
    return {"train": train, "validation": rows("v", 10, 2), "test": [*leaked, *rows("clean", clean, 3)]}


def evaluated(parts: dict[str, list[Example]]) -> EvaluationResult:
    """A model that knows the leaked rows by heart and guesses on the others, a base that always guesses."""
    test = parts["test"]

    def said(knows: bool) -> ClassPredictions:
        sure = [(e.label == "a") if knows and e.row_id.startswith("leak") else i % 4 < 2 for i, e in enumerate(test)]
        return ClassPredictions.of(("a", "b"), test, [[0.9, 0.1] if a else [0.1, 0.9] for a in sure])

    contenders = {"tuned": said(True), "base": said(False)}
    found = honest.repeated(parts, "test")
    return evaluations.build("classification", "test", contenders, "", 0.0, {}, found)


def test_a_planted_leak_is_found_and_both_scores_are_given(storage: Path) -> None:
    result = evaluated(planted(60, 60))
    told = result.honest
    assert told is not None and result.n == 120
    assert (told.n, told.exact, told.near, told.judged) == (60, 30, 30, True)
    assert all(row_id.startswith("leak") for row_id in told.row_ids)
    inflated, fair = (
        next(row for row in found if row.key == "accuracy").values["tuned"] for found in (result.metrics, told.metrics)
    )
    assert (inflated.n, fair.n) == (120, 60)
    assert inflated.value == pytest.approx(0.75, abs=0.05) and fair.value == pytest.approx(0.5, abs=0.05)
    assert fair.low is not None and fair.high is not None and fair.low < fair.value < fair.high
    assert {row.key for row in told.metrics} == {row.key for row in result.metrics}
    assert "60 of 120 test rows" in told.sentence and "instead of" in told.sentence


def test_the_verdict_is_not_that_of_the_leak(storage: Path) -> None:
    assert evaluated(planted(60, 60)).verdict is Verdict.NO_EVIDENCE


def test_with_too_few_honest_rows_the_verdict_stays_and_says_so(storage: Path) -> None:
    told = evaluated(planted(60, 8)).honest
    assert told is not None and not told.judged and "Only 8 rows are left" in told.sentence
    none_left = evaluated(planted(60, 0)).honest
    assert none_left is not None and (none_left.n, none_left.metrics) == (0, ())


def test_without_a_leak_there_is_one_score(storage: Path) -> None:
    assert evaluated(planted(0, 60)).honest is None
