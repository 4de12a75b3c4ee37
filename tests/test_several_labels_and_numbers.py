"""Texts with any number of labels, and texts with a number: columns, splits, checks, figures, baselines."""

from __future__ import annotations

import math
import random

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.metrics import f1_score, mean_absolute_error, r2_score, root_mean_squared_error

from core.data import baselines, fixes, label_lists, thresholds
from core.data.health import report
from core.data.health_rows import reason_of
from core.data.in_words import significant
from core.data.numbers import number
from core.data.shapes import roles_of, suggest_roles
from core.data.splitting import SplitRow, split
from core.metrics import compare, per_class, registry
from core.schemas.estimates import Verdict
from core.schemas.examples import Example
from core.schemas.findings import Severity
from core.schemas.imports import ColumnInfo, ColumnKind
from core.schemas.label_sets import LabelSetPredictions
from core.schemas.number_predictions import NumberPredictions
from core.schemas.plan import SplitPlan
from core.tasks import registry as tasks

LABELS = ("big", "loud", "red")


def labelled(count: int, shares: tuple[float, ...] = (0.5, 0.3, 0.1), seed: int = 0) -> list[Example]:
    """Texts that name their labels, beside other words."""
    source = random.Random(seed)
    rows = []
    for i in range(count):
        own = tuple(label for label, share in zip(LABELS, shares, strict=True) if source.random() < share)
        rows.append(Example(row_id=f"{seed}-{i}", text=f"thing {i} is {' '.join(own) or 'plain'}", labels=own))
    return rows


def rated(count: int, seed: int = 0) -> list[Example]:
    source = random.Random(seed)
    return [
        Example(row_id=f"{seed}-{i}", text=f"box {i} " + "good " * good, value=100.0 + 50 * good)
        for i in range(count)
        for good in [source.randint(0, 4)]
    ]


# -- how labels are written --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "way", "first"),
    [
        (["red; big", "", "big", "red"] * 3, ";", ("red", "big")),
        (["red|big", "big|loud", None, "red"] * 3, "|", ("red", "big")),
        (["red, big", "big,red", "red"] * 3, ",", ("red", "big")),
        (['["red", "big"]', "[]", '["big"]'], "json", ("red", "big")),
        (["['red', 'big']", "[]"], "json", ("red", "big")),
        (["red", "big", "red"], "one", ("red",)),
        ([f"a text, number {i}" for i in range(20)], "one", ("a text, number 0",)),
    ],
)
def test_how_labels_are_written_is_found_out(cells: list[str | None], way: str, first: tuple[str, ...]) -> None:
    assert label_lists.detect(cells) == way
    assert label_lists.read(cells[0], way) == first


def test_a_dataset_remembers_how_its_labels_are_written() -> None:
    task = tasks()["multi_label"]
    rows = [
        {"m": "a", "t": "red; dark, big"},
        {"m": "b", "t": None},
        {"m": "c", "t": "red;big"},
        {"m": "d", "t": "red"},
    ]
    roles = task.settled({"text": "m", "labels": "t"}, rows)
    assert roles == {"text": "m", "labels:;": "t"}
    assert task.settled(roles, rows) == roles, "what a person said is not overruled"
    found = [task.to_example(row, roles, "1") for row in rows]
    assert [e.labels for e in found if e] == [("red", "dark, big"), (), ("red", "big"), ("red",)]
    assert task.to_example({"m": " ", "t": "red"}, roles, "1") is None


def test_columns_of_yes_and_no_are_one_label_each() -> None:
    def column(name: str, kind: ColumnKind, different: int, *examples: str) -> ColumnInfo:
        return ColumnInfo(name=name, kind=kind, n_missing=0, n_distinct=different, mean_length=30.0, examples=examples)

    columns = [
        column("comment", ColumnKind.TEXT, 90, "some text", "another"),
        column("toxic", ColumnKind.CATEGORY, 2, "0", "1"),
        column("insult", ColumnKind.CATEGORY, 2, "False", "True"),
    ]
    roles = roles_of(columns, "multi_label")
    assert roles == {"text": "comment", "labels:=toxic": "toxic", "labels:=insult": "insult"}
    task = tasks()["multi_label"]
    task.check_roles(roles)
    example = task.to_example({"comment": "x", "toxic": "0", "insult": "True"}, roles, "1")
    assert example and example.labels == ("insult",)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("4", 4.0),
        (" 4.5 ", 4.5),
        ("4,5", 4.5),
        ("1,250", 1250.0),
        ("-3", -3.0),
        ("2e3", 2000.0),
        ("€ 12,50", 12.5),
        ("$1,200.99", 1200.99),
        ("1.250,50 EUR", 1250.5),
        ("1 250,50", 1250.5),
        ("1.250.000", 1250000.0),
        ("1.250", 1.25),
        ("99,-", 99.0),
        ("4 stars", 4.0),
        ("3.5 %", 3.5),
        ("-€5", -5.0),
        ("many", None),
        ("nan", None),
        ("5k", None),  # a thousand times as much
        ("2 m", None),
        ("4/5", None),
        ("10-20", None),
        ("2024-01-02", None),
        ("A0001", None),
    ],
)
def test_numbers_are_read_as_people_write_them(cell: str, value: float | None) -> None:
    assert number(cell) == value


def test_spellings_of_a_label_are_found_in_sets_and_merged_in_the_cells_as_they_are_written() -> None:
    rows = [
        Example(row_id=str(i), text=f"thing {i}", labels=(("urgent", "Urgent", "loud")[i % 3], "red"))
        for i in range(60)
    ]
    [found] = [f for f in report(rows, "multi_label").findings if "spelling" in f.title]
    mapping = found.data["fix_options"]["mapping"]
    assert found.title == "4 label spellings look like 3 labels" and mapping == {"Urgent": "urgent"}
    table = pd.DataFrame(
        {
            "row_id": ["1", "2", "3", "4"],
            "tags": ["red; Urgent", "Urgent;urgent ; red", "loud,red", None],
            "j": '["Urgent"]',
        }
    )
    fix = fixes.registry()[str(found.data["fix_key"])]
    change = fix.plan(table, {"text": "t", "labels:;": "tags", "labels:json": "j"}, fix.options(mapping=mapping))
    assert change.cells["tags"] == {"1": "red; urgent", "2": "urgent; red"}
    assert set(change.cells["j"].values()) == {'["urgent"]'} and not change.drop


def test_a_column_of_prices_is_suggested_although_some_cells_hold_none() -> None:
    table = pa.table(
        {
            "Article": [f"A{i:03}" for i in range(30)],
            "Description": [f"a chair in oak, number {i}" for i in range(30)],
            "Price €": ["€ 12,50", "on request", "1.250,00"] * 10,
        }
    )
    assert suggest_roles(table, "regression") == {"text": "Description", "value": "Price €"}


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["0,875", "1,250", "-2,5", "1.234,5", "12.000", "3"], [0.875, 1.25, -2.5, 1234.5, 12000.0, 3.0]),
        (["1,250", "2,000", "7"], [1250.0, 2000.0, 7.0]),
        (["1,250", "2.5", "0.125", "1,250.75"], [1250.0, 2.5, 0.125, 1250.75]),
        (["0,5", "0.25", "4,5"], [0.5, 0.25, 4.5]),
    ],
)
def test_a_column_tells_what_its_commas_mean_where_a_cell_cannot(cells: list[str], values: list[float]) -> None:
    task = tasks()["regression"]
    rows = [{"t": "a text", "v": cell} for cell in cells]
    roles = task.settled({"text": "t", "value": "v"}, rows)
    task.check_roles(roles)
    assert task.settled(roles, rows) == roles
    assert [task.to_example(row, roles, "1").value for row in rows] == values
    assert reason_of({"t": "a text", "v": "many"}, roles) == "no number"


# -- split and health --------------------------------------------------------------------------------------------------


def test_every_part_has_its_share_of_every_label_also_of_rare_ones() -> None:
    rows = labelled(400, (0.5, 0.2, 0.04), seed=3)
    as_split = [SplitRow(e.row_id, None, None, e.text, labels=e.labels) for e in rows]
    where = split(as_split, SplitPlan(test=0.2, validation=0.15))
    assert where == split(as_split[::-1], SplitPlan(test=0.2, validation=0.15)), "the order of the rows does not matter"
    for label in LABELS:
        own = [e for e in rows if e.labels and label in e.labels]
        for part, share in (("test", 0.2), ("validation", 0.15)):
            assert abs(sum(where[e.row_id] == part for e in own) - share * len(own)) <= 1.5, (label, part, len(own))
    assert sum(part == "test" for part in where.values()) == pytest.approx(80, abs=3)


def test_the_health_report_counts_labels_and_allows_rows_without_one() -> None:
    found = report(labelled(300), "multi_label")
    about = [f for f in found.findings if f.check == "label_sets"]
    assert found.counts["labels"] == 3 and found.counts["without_label"] > 50
    assert not any(f.severity is Severity.ERROR for f in found.findings)
    assert any("“red”" in f.title for f in about if f.severity is Severity.WARNING), "a rare label is named"
    alone = report([e.model_copy(update={"labels": (e.labels or ())[:1]}) for e in labelled(300)], "multi_label")
    assert any("more than one label" in f.title for f in alone.findings)
    assert not any("spelling" in f.title for f in found.findings)
    none = report([e.model_copy(update={"labels": ()}) for e in labelled(60)], "multi_label")
    assert any(f.data.get("blocks") for f in none.findings)


def test_the_health_report_looks_at_numbers() -> None:
    rows = rated(200)
    rows[7] = rows[7].model_copy(update={"value": 1e6})
    found = report(rows, "regression", {"x": "no number"})
    titles = [f.title for f in found.findings if f.check == "number_spread"]
    assert any("without a number" in t for t in titles) and any("far outside" in t for t in titles)
    same = report([e.model_copy(update={"value": 2.0}) for e in rows], "regression")
    assert any(f.data.get("blocks") for f in same.findings)


# -- figures -----------------------------------------------------------------------------------------------------------


def test_figures_of_labels_are_those_of_scikit_learn() -> None:
    rows = labelled(200, (0.5, 0.4, 0.3))
    scores = np.random.default_rng(1).random((200, 3))
    found = LabelSetPredictions.of(LABELS, rows, scores.tolist())
    gold = np.array([[label in (e.labels or ()) for label in LABELS] for e in rows])
    for key, average in (("micro_f1", "micro"), ("macro_f1", "macro")):
        estimate = registry()[key].compute(found)
        assert estimate.value == pytest.approx(f1_score(gold, scores >= 0.5, average=average))
        assert estimate.low < estimate.value < estimate.high and estimate.n == 200
    exact = registry()["subset_accuracy"].compute(found)
    assert exact.value == pytest.approx((gold == (scores >= 0.5)).all(axis=1).mean())
    first = per_class(found)[0]
    assert first.recall and first.recall.value == pytest.approx((scores[gold[:, 0], 0] >= 0.5).mean())
    assert LabelSetPredictions.from_table(found.to_table()) == found


def test_figures_of_numbers_are_those_of_scikit_learn() -> None:
    rows = rated(150)
    gold = np.array([e.value for e in rows])
    said = gold + np.random.default_rng(2).normal(0, 20, len(gold))
    found, mean = NumberPredictions.of(rows, said.tolist()), NumberPredictions.of(rows, [200.0] * len(rows))
    expected = {
        "mae": mean_absolute_error(gold, said), "rmse": root_mean_squared_error(gold, said), "r2": r2_score(gold, said)
    }  # fmt: skip
    for key, value in expected.items():
        estimate = registry()[key].compute(found)
        assert estimate.value == pytest.approx(value) and estimate.low < value < estimate.high
        comparison = compare(registry()[key], mean, found)
        assert comparison is not None and comparison.verdict is Verdict.BETTER
    assert registry()["spearman"].compute(found).value > 0.9
    assert registry()["spearman"].compute(mean) is None, "a constant has no order"
    assert NumberPredictions.from_table(found.to_table()) == found


def test_simple_ways_learn_what_words_tell() -> None:
    train, test = labelled(200, (0.5, 0.4, 0.3)), labelled(80, (0.5, 0.4, 0.3), seed=9)
    counted, common = baselines.word_counts_sets(train, test, LABELS), baselines.frequent_set(train, test, LABELS)
    assert registry()["micro_f1"].compute(counted).value > 0.95
    assert len({item.predicted for item in common.items}) == 1
    numbers, held = rated(200), rated(80, seed=9)
    mean, ridge = baselines.mean_number(numbers, held), baselines.word_counts_number(numbers, held)
    assert mean.predicted[0] == pytest.approx(np.mean([e.value for e in numbers]))
    assert registry()["mae"].compute(ridge).value < 0.8 * registry()["mae"].compute(mean).value


def test_a_threshold_follows_the_scores_where_there_are_enough_rows() -> None:
    rows = labelled(100, (0.5, 0.5, 0.02))
    low = [[0.3 if label in (e.labels or ()) else 0.1 for label in LABELS] for e in rows]
    found = thresholds.choose(LABELS, rows, low)
    assert found[:2] == pytest.approx((0.2, 0.2))
    assert found[2] == 0.5, "two rows say nothing about a threshold"
    given = LabelSetPredictions.of(LABELS, rows, low, found)
    assert all(set(item.predicted) >= set(item.gold) - {"red"} for item in given.items)
    assert not any(math.isnan(cut) for cut in found)


def test_figures_of_any_unit_are_written_without_powers_of_ten() -> None:
    shown = [significant(v) for v in (2014.7, 1234567.0, 0.000012345, -35.04, 0.97, 250.0, 0.0, 999.9, math.nan)]
    assert shown == ["2,010", "1,230,000", "0.0000123", "-35", "0.97", "250", "0", "1,000", "nan"]
    assert significant(12345.6, 4) == "12,350" and significant(2.5, 6) == "2.5"
