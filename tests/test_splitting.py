"""The split: fair to labels, faithful to copies and groups, the same each time, and closed once it is made."""

from __future__ import annotations

import csv
import random
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from core.data.splitting import SplitRow, part_named, rare_labels, split
from core.schemas.errors import UserError
from core.schemas.plan import SplitPlan

STRATIFIED = SplitPlan(strategy="stratified")
RANDOM = SplitPlan(strategy="random")
BY_COLUMN = SplitPlan(strategy="column", column="customer")
GIVEN = SplitPlan(strategy="given", column="part")


def rows(n: int, labels: str = "ab", group=lambda i: None) -> list[SplitRow]:
    return [SplitRow(f"r{i}", labels[i % len(labels)], group(i), f"text number {i}") for i in range(n)]


def shares(where: dict[str, str]) -> dict[str, float]:
    return {part: n / len(where) for part, n in Counter(where.values()).items()}


@pytest.mark.parametrize("plan", [STRATIFIED, RANDOM, BY_COLUMN], ids=lambda plan: plan.strategy)
def test_the_parts_have_the_wanted_sizes(plan) -> None:
    found = shares(split(rows(400, group=lambda i: f"c{i % 80}"), plan))
    assert found["test"] == pytest.approx(0.2, abs=0.01)
    assert found["validation"] == pytest.approx(0.15, abs=0.01)


@pytest.mark.parametrize("plan", [STRATIFIED, RANDOM, BY_COLUMN], ids=lambda plan: plan.strategy)
def test_the_order_of_the_rows_does_not_matter_and_the_seed_does(plan) -> None:
    some = [*rows(200, group=lambda i: f"c{i % 40}"), SplitRow("copy", "b", "c3", "Text  NUMBER 4")]
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


@pytest.mark.parametrize("plan", [STRATIFIED, RANDOM, BY_COLUMN], ids=lambda plan: plan.strategy)
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
