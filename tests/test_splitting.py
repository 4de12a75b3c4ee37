"""The split: fair to labels, faithful to copies and groups, the same each time, and closed once it is made."""

from __future__ import annotations

import csv
import random
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from core.data.dates import parse_dates
from core.data.leakage import overlaps
from core.data.split_advice import few_in_test, groups_of, precision, rows_needed, suggest
from core.data.splitting import SplitRow, part_named, rare_labels, split
from core.schemas.errors import UserError
from core.schemas.plan import SplitPlan

STRATIFIED = SplitPlan(strategy="stratified")
RANDOM = SplitPlan(strategy="random")
BY_COLUMN = SplitPlan(strategy="column", column="customer")
GIVEN = SplitPlan(strategy="given", column="part")
CLUSTER = SplitPlan(strategy="cluster")
BY_TIME = SplitPlan(strategy="time", column="sent")
DRAWN = [STRATIFIED, RANDOM, BY_COLUMN, CLUSTER]
WORDS = "order lamp kettle parcel refund late broken bright address change phone answer money box chair cup".split()


def sentences(n: int, seed: int = 1) -> list[str]:
    """Texts that have little in common."""
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS, k=9)) + f" {i * 7919}" for i in range(n)]


def rows(n: int, labels: str = "ab", group=lambda i: None) -> list[SplitRow]:
    return [SplitRow(f"r{i}", labels[i % len(labels)], group(i), f"text number {i}") for i in range(n)]


def shares(where: dict[str, str]) -> dict[str, float]:
    return {part: n / len(where) for part, n in Counter(where.values()).items()}


@pytest.mark.parametrize("plan", [STRATIFIED, RANDOM, BY_COLUMN], ids=lambda plan: plan.strategy)
def test_the_parts_have_the_wanted_sizes(plan) -> None:
    found = shares(split(rows(400, group=lambda i: f"c{i % 80}"), plan))
    assert found["test"] == pytest.approx(0.2, abs=0.01)
    assert found["validation"] == pytest.approx(0.15, abs=0.01)


@pytest.mark.parametrize("plan", DRAWN, ids=lambda plan: plan.strategy)
def test_the_order_of_the_rows_does_not_matter_and_the_seed_does(plan) -> None:
    some = [
        row._replace(text=text)
        for row, text in zip(rows(200, group=lambda i: f"c{i % 40}"), sentences(200), strict=True)
    ]
    some.append(SplitRow("copy", "b", "c3", some[4].text.upper().replace(" ", "  ")))
    shuffled = random.Random(3).sample(some, len(some))
    where = split(some, plan)
    assert split(shuffled, plan) == where
    assert split(some, plan.model_copy(update={"seed": 18})) != where


def test_a_stratified_split_keeps_the_share_of_a_rare_label() -> None:
    some = rows(950, "a") + [SplitRow(f"b{i}", "b", None, f"other {i}") for i in range(50)]
    where = split(some, STRATIFIED)
    found = Counter((row.label, where[row.row_id]) for row in some)
    assert (found["b", "test"], found["b", "validation"], found["b", "train"]) == (10, 8, 32)


def test_labels_with_one_or_two_rows_stay_in_training_and_are_listed() -> None:
    some = [*rows(60), *(SplitRow(f"x{i}", f"rare {i // 2}", None, f"rare text {i}") for i in range(5))]
    where = split(some, STRATIFIED)
    assert {where[f"x{i}"] for i in range(5)} == {"train"}
    assert rare_labels(some) == ["rare 0", "rare 1", "rare 2"]


def test_a_label_whose_rows_all_say_the_same_counts_as_rare() -> None:
    same = [SplitRow(f"x{i}", "same", None, "  OVER and over" if i % 2 else "over AND over") for i in range(8)]
    where = split([*rows(60), *same], STRATIFIED)
    assert {where[row.row_id] for row in same} == {"train"}
    assert rare_labels(same) == ["same"]


@pytest.mark.parametrize("plan", DRAWN, ids=lambda plan: plan.strategy)
def test_equal_texts_are_never_in_two_parts(plan) -> None:
    some = [
        SplitRow(f"r{i}-{k}", "ab"[(i + k) % 2], f"c{i}{k}", text)
        for i in range(100)
        for k, text in enumerate([f"Caf\u00e9 order {i}", f"cafe\u0301   ORDER {i}", f"\uff23afe\u0301 order {i} "])
    ]
    parts = defaultdict(set)
    for row_id, part in split(some, plan).items():
        parts[row_id.split("-")[0]].add(part)
    assert {len(found) for found in parts.values()} == {1}


def test_groups_stay_together_and_labels_stay_balanced() -> None:
    rng = random.Random(5)
    some = [
        SplitRow(f"r{c}.{i}", rng.choice("aab"), f"customer {c}", f"text {c} {i}")
        for c in range(60)
        for i in range(rng.randint(1, 30))
    ]
    where = split(some, BY_COLUMN)
    parts = defaultdict(set)
    for row in some:
        parts[row.group].add(where[row.row_id])
    assert {len(found) for found in parts.values()} == {1}
    for part, share in (("test", 0.2), ("validation", 0.15)):
        for label in "ab":
            total = sum(row.label == label for row in some)
            held = sum(row.label == label and where[row.row_id] == part for row in some)
            assert held / total == pytest.approx(share, abs=0.04)


def test_three_large_groups_fill_three_parts() -> None:
    where = split(rows(99, group=lambda i: f"shop {i % 3}"), BY_COLUMN)
    assert Counter(where.values()) == {"train": 33, "validation": 33, "test": 33}


def test_rows_without_a_group_are_not_one_large_group() -> None:
    where = split(rows(100, group=lambda i: "shop" if i < 10 else None), BY_COLUMN)
    assert len({where[f"r{i}"] for i in range(10)}) == 1
    assert shares(where)["test"] == pytest.approx(0.2, abs=0.03)


# -- nearly equal texts ------------------------------------------------------------------------------------------------


def test_nearly_equal_texts_stay_together_and_the_parts_keep_their_sizes() -> None:
    some = [
        SplitRow(f"r{i}-{k}", "ab"[i % 2], None, text + ending)
        for i, text in enumerate(sentences(120))
        for k, ending in enumerate(["", "!", " please"])
    ]
    where = split(some, CLUSTER)
    parts = defaultdict(set)
    for row_id, part in where.items():
        parts[row_id.split("-")[0]].add(part)
    assert {len(found) for found in parts.values()} == {1}
    assert shares(where)["test"] == pytest.approx(0.2, abs=0.02)
    assert split(random.Random(3).sample(some, len(some)), CLUSTER) == where
    texts = {row.row_id: row.text for row in some}
    assert not any(found.exact or found.near for found in overlaps(texts, where))
    assert any(found.near for found in overlaps(texts, split(some, STRATIFIED)))


def test_rows_that_all_nearly_repeat_one_another_cannot_be_split_by_cluster() -> None:
    text = sentences(1)[0]
    with pytest.raises(UserError, match=r"too few|empty"):
        split([SplitRow(f"r{i}", None, None, text + "!" * i) for i in range(8)], CLUSTER)


# -- by time -----------------------------------------------------------------------------------------------------------


def test_the_newest_rows_are_the_test_and_the_next_newest_validate() -> None:
    days = random.Random(4).sample(range(200), 200)
    some = [SplitRow(f"r{day}", "ab"[day % 2], str(date(2024, 1, 1) + timedelta(day)), f"text {day}") for day in days]
    where = split(some, BY_TIME)
    by_part = defaultdict(list)
    for row in some:
        by_part[where[row.row_id]].append(int(row.row_id[1:]))
    assert {part: len(found) for part, found in by_part.items()} == {"test": 40, "validation": 30, "train": 130}
    assert max(by_part["train"]) < min(by_part["validation"]) < max(by_part["validation"]) < min(by_part["test"])


def test_a_later_copy_of_an_old_text_stays_with_it_and_rows_without_a_date_are_for_training() -> None:
    some = [SplitRow(f"r{i}", None, f"2024-{1 + i // 28:02}-{1 + i % 28:02}", f"text {i}") for i in range(100)]
    some += [SplitRow("copy", None, "2025-01-01", "TEXT 3"), SplitRow("undated", None, None, "another")]
    where = split(some, BY_TIME)
    assert (where["copy"], where["r3"], where["undated"], where["r99"]) == ("train", "train", "train", "test")


def test_a_column_without_dates_is_refused() -> None:
    with pytest.raises(UserError, match="too few dates") as caught:
        split(rows(50, group=lambda i: "soon"), BY_TIME)
    assert "50 of 50" in caught.value.cause
    with pytest.raises(UserError, match="same time"):
        split(rows(50, group=lambda i: "2024-01-01"), BY_TIME)


@pytest.mark.parametrize(
    "values",
    [["2024-03-01", "2024-03-02T10:00:00Z", "2024-12-31 23:59"], ["1.3.2024", "2.3.2024", "31.12.2024"],
     ["3/1/2024", "3/2/2024 4:05 pm", "12/31/2024"], ["1/3/2024", "2/3/2024", "31/12/2024"],
     ["March 1, 2024", "2 Mar 2024", "Dec 31, 2024"], ["1709251200", "1709337600", "1735603200"], ["2001", "2002", "2024"],
     ["20240301", "20240302", "20241231"]],
)  # fmt: skip
def test_dates_are_read_as_people_write_them(values) -> None:
    found = parse_dates(values)
    assert None not in found and found == sorted(found)
    assert datetime.fromtimestamp(found[2], UTC).year == 2024


def test_what_is_no_date_is_none() -> None:
    assert parse_dates(["", None, "soon", "32.1.2024", "2024-02-30", "7", "5.5", float("nan")]) == [None] * 8


# -- advice ------------------------------------------------------------------------------------------------------------


def test_the_size_of_the_test_is_said_in_points_and_what_would_be_better() -> None:
    assert precision(40) == "With 40 test rows, accuracy is known to ± 15 points; 381 rows would give ± 5."
    assert precision(1000) == "With 1,000 test rows, accuracy is known to ± 3 points."
    assert few_in_test({"a": 1000, "b": 60, "c": 99}, 0.2) == [("b", 12)]
    assert rows_needed(60, 0.2) == 100


def test_a_group_column_is_questioned_where_it_is_no_use() -> None:
    assert "value of its own" in groups_of([f"c{i}" for i in range(100)]).warning
    assert "'big'" in groups_of(["big"] * 60 + [f"c{i % 10}" for i in range(40)]).warning
    assert "only 2" in groups_of(["a", "b"] * 50).warning
    assert "nothing in this column" in groups_of([f"c{i % 20}" for i in range(70)] + [None] * 30).warning
    assert groups_of([f"c{i % 20}" for i in range(100)]).warning == ""


def test_a_way_to_split_is_suggested_from_the_data() -> None:
    dates = [f"2024-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(200)]
    columns = {
        "customer_id": [f"c{i % 40}" for i in range(200)],
        "created": dates,
        "topic": [f"t{i % 40}" for i in range(200)],
    }
    found = suggest(columns, near_copies=30, rows=200)
    assert [(s.strategy, s.column) for s in found] == [
        ("column", "customer_id"),
        ("cluster", None),
        ("time", "created"),
    ]
    files = {"part_of_file": ["train.csv", "test.csv"] * 100}
    assert suggest(files, 0, 200, files="part_of_file")[0].strategy == "given"
    assert suggest({"part_of_file": ["a.csv", "b.csv"] * 100}, 0, 200, files="part_of_file") == []
    assert suggest({"id": [f"c{i}" for i in range(200)], "customer": [f"c{i}" for i in range(200)]}, 0, 200) == []


# -- a column or files that name the parts -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "part"),
    [("train", "train"), ("Training", "train"), ("dev", "validation"), (" Val ", "validation"), ("TEST", "test"),
     ("reviews_train.csv", "train"), ("data/sst2-dev.tsv", "validation"), ("held.test.2.jsonl", "test"),
     ("latest.csv", None), ("train_test.csv", None), ("", None), ("7", None)],
)  # fmt: skip
def test_part_names_are_recognised(value, part) -> None:
    assert part_named(value) == part


def test_a_column_that_names_the_parts_is_followed() -> None:
    names = ("train", "train", "dev", "test")
    where = split(rows(40, group=lambda i: names[i % 4]), GIVEN)
    assert Counter(where.values()) == {"train": 20, "validation": 10, "test": 10}
    assert (where["r0"], where["r2"], where["r3"]) == ("train", "validation", "test")


def test_a_part_that_the_files_do_not_bring_is_made_from_their_training_rows() -> None:
    some = rows(200, group=lambda i: "test.csv" if i % 4 == 0 else "train.csv")
    where = split(some, GIVEN)
    assert {row.row_id for row in some if row.group == "test.csv"} == {r for r, part in where.items() if part == "test"}
    assert Counter(where.values())["validation"] == pytest.approx(0.15 * 150, abs=2)


@pytest.mark.parametrize("strange", ["maybe", "", None])
def test_a_column_that_leaves_a_row_without_part_is_refused(strange) -> None:
    with pytest.raises(UserError) as caught:
        split(rows(40, group=lambda i: strange if i == 7 else "train"), GIVEN)
    assert "1 of 40" in caught.value.cause


def test_files_without_training_rows_are_refused() -> None:
    with pytest.raises(UserError, match="training part would be empty"):
        split(rows(40, group=lambda i: "test" if i % 2 else "dev"), GIVEN)


# -- too little --------------------------------------------------------------------------------------------------------


def test_three_rows_are_refused_with_a_reason() -> None:
    with pytest.raises(UserError) as caught:
        split(rows(3), STRATIFIED)
    assert "3 different texts" in caught.value.cause and "more examples" in caught.value.fix


def test_many_copies_of_one_text_are_refused() -> None:
    with pytest.raises(UserError, match="too few"):
        split([SplitRow(f"r{i}", None, None, "The same.") for i in range(50)], RANDOM)


def test_one_label_is_refused() -> None:
    with pytest.raises(UserError, match="only one category"):
        split(rows(50, "a"), STRATIFIED)


def test_a_label_a_row_leaves_the_test_part_empty_and_says_so() -> None:
    with pytest.raises(UserError, match="would be empty"):
        split([SplitRow(f"r{i}", f"label {i}", None, f"text {i}") for i in range(30)], STRATIFIED)


def test_two_groups_cannot_fill_three_parts() -> None:
    with pytest.raises(UserError) as caught:
        split(rows(50, group=lambda i: "ab"[i % 2]), BY_COLUMN)
    assert "another way to split" in caught.value.fix


def test_conversations_without_labels_are_split() -> None:
    where = split([SplitRow(f"r{i}", None, None, f"question {i}") for i in range(20)], STRATIFIED)
    assert Counter(where.values()) == {"train": 13, "validation": 3, "test": 4}


# -- later versions ----------------------------------------------------------------------------------------------------


def test_later_versions_keep_every_row_where_it_was() -> None:
    before = split(rows(100), STRATIFIED)
    fixed_rows = [row._replace(text=row.text + " corrected") for row in rows(100)]
    assert split(fixed_rows, STRATIFIED, before) == before
    assert split(fixed_rows[:60], STRATIFIED, before) == {row.row_id: before[row.row_id] for row in fixed_rows[:60]}


def test_new_rows_never_enter_a_test_set_that_is_fixed() -> None:
    before = split(rows(100), STRATIFIED)
    after = split(rows(200), STRATIFIED, before)
    new = Counter(after[f"r{i}"] for i in range(100, 200))
    assert new["test"] == 0
    assert new["validation"] == pytest.approx(19, abs=2)
    assert len(after) == 200


def test_a_new_copy_goes_where_its_original_is_and_a_copy_of_a_test_row_nowhere() -> None:
    before = split(rows(100), STRATIFIED)
    copies = [SplitRow(f"new {row.row_id}", row.label, None, row.text.upper()) for row in rows(100)]
    after = split([*rows(100), *copies], STRATIFIED, before)
    for row in rows(100):
        expected = None if before[row.row_id] == "test" else before[row.row_id]
        assert after.get(f"new {row.row_id}") == expected


def test_new_rows_of_a_tested_group_are_left_out() -> None:
    by_customer = rows(100, group=lambda i: f"c{i % 20}")
    before = split(by_customer, BY_COLUMN)
    new = [SplitRow(f"n{c}", "a", f"c{c}", f"new text {c}") for c in range(20)]
    after = split([*by_customer, *new], BY_COLUMN, before)
    for c in range(20):
        assert after.get(f"n{c}") == (None if before[f"r{c}"] == "test" else before[f"r{c}"])


@pytest.mark.shared_data
def test_a_file_with_fifteen_single_row_classes_is_split(shared_data: Path) -> None:
    with open(shared_data / "nasty" / "lab_singletons.csv", encoding="utf-8") as file:
        some = [SplitRow(str(i), row["label"], None, row["text"]) for i, row in enumerate(csv.DictReader(file))]
    where = split(some, STRATIFIED)
    rare = rare_labels(some)
    assert len(rare) == 15
    assert {where[row.row_id] for row in some if row.label in rare} == {"train"}
