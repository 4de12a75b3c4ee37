"""Copies and near copies: within a dataset, and between the parts of a split."""

from __future__ import annotations

import csv
import random
import time
from pathlib import Path

import pytest

from core.data.duplicates import NEIGHBOURS, exact_groups, near_pairs, normalise
from core.data.leakage import overlaps

WORDS = "the a old small red house garden river boat went came saw near under over and but slowly letter stone".split()


def sentences(n: int, seed: int = 0, words: int = 12) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS, k=words)) for _ in range(n)]


def shingles(text: str) -> set[str]:
    text = normalise(text)
    return {text[i : i + 5] for i in range(len(text) - 4)}


def jaccard(a: set[str], b: set[str]) -> float:
    return len(a & b) / len(a | b)


def every_pair(texts: list[str], threshold: float) -> dict[tuple[int, int], float]:
    first = sorted({normalise(text): i for i, text in reversed(list(enumerate(texts)))}.values())
    sets = {i: found for i in first if (found := shingles(texts[i]))}
    pairs = {(i, j): jaccard(sets[i], sets[j]) for i in sets for j in sets if i < j}
    return {pair: value for pair, value in pairs.items() if value >= threshold}


def test_texts_are_equal_but_for_case_width_and_spacing() -> None:
    texts = ["Caf\u00e9  open", "other", "cafe\u0301 OPEN ", "", " ", "\uff23\uff21\uff26\u00c9 open", "Other!"]
    assert exact_groups(texts) == [[0, 2, 5]]


@pytest.mark.parametrize("threshold", [0.5, 0.8, 0.95])
def test_near_pairs_are_those_that_comparing_everything_finds(threshold) -> None:
    rng = random.Random(11)
    texts = sentences(120, seed=2)
    for text in texts[:60]:
        letters = list(text)
        for _ in range(rng.randint(0, 5)):
            letters[rng.randrange(len(letters))] = rng.choice("xyz")
        letters[-1] = "!"
        texts.append("".join(letters))
    texts += ["ok", "ok", "Yes", "", texts[0].upper()]
    expected = every_pair(texts, threshold)
    found = {(i, j): value for i, j, value in near_pairs(texts, threshold)}
    assert len(expected) > 5
    assert found == pytest.approx(expected)


def test_a_pair_just_at_the_threshold_is_found() -> None:
    assert near_pairs(["abcdefghijklm", "abcdefghijklx"]) == [(0, 1, pytest.approx(8 / 10))]


def test_texts_of_other_scripts_are_compared_too() -> None:
    chinese = "今天天气很好我们去公园散步然后吃饭朋友们都来了大家一起唱歌跳舞直到晚上"
    assert [(i, j) for i, j, _ in near_pairs([chinese, chinese[:-1] + "里", "😀" * 9])] == [(0, 1)]


def test_of_a_thousand_variations_each_is_in_a_pair_and_the_list_stays_short() -> None:
    texts = [f"The quick brown fox jumps over the lazy dog and runs to the woods, number {i}" for i in range(1000)]
    pairs = near_pairs(texts)
    assert {i for pair in pairs for i in pair[:2]} == set(range(1000))
    assert len(pairs) <= 1000 * NEIGHBOURS


def test_ten_thousand_rows_are_compared_in_a_few_seconds() -> None:
    rng = random.Random(4)
    words = ["".join(rng.choices("abcdefghijklmnoprstu", k=rng.randint(2, 9))) for _ in range(3000)]
    texts = [" ".join(rng.choices(words, k=20)) for _ in range(9000)]
    texts += [text[:-1] + "!" for text in texts[:1000]]
    began = time.process_time()
    pairs = near_pairs(texts)
    assert {(i, 9000 + i) for i in range(1000)} <= {(i, j) for i, j, _ in pairs}
    assert time.process_time() - began < 10  # about 2; comparing everything would take minutes


def test_only_pairs_across_sides_are_sought_when_sides_are_given() -> None:
    a, b = sentences(1)[0], sentences(1)[0][:-1] + "!"
    assert [(i, j) for i, j, _ in near_pairs([a, b, b], sides=[0, 0, 1])] == [(0, 2)]
    assert near_pairs([a, b], sides=[1, 1]) == []
    assert near_pairs([a, a.upper()], sides=[0, 1]) == []


@pytest.mark.parametrize("threshold", [0, 1.5])
def test_a_threshold_outside_its_range_is_a_mistake_of_the_programmer(threshold) -> None:
    with pytest.raises(ValueError, match="threshold"):
        near_pairs(["a", "b"], threshold)


# -- between the parts -------------------------------------------------------------------------------------------------


def parts(**texts: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    found = {f"{part}{i}": (text, part) for part, given in texts.items() for i, text in enumerate(given)}
    return {k: text for k, (text, _) in found.items()}, {k: part for k, (_, part) in found.items()}


def test_every_row_that_repeats_another_part_is_counted_once_with_its_closest_row() -> None:
    one, two, three, four = sentences(4)
    near = one[:-1] + "!"
    test_rows = [near, near, two.upper(), three]
    found = overlaps(*parts(train=[one, near + "!", two, two], validation=[four], test=test_rows))
    by_parts = {(o.source, o.part): o for o in found}
    test = by_parts["train", "test"]
    assert [(p.row_id, p.source_id) for p in test.exact] == [("test2", "train2")]
    assert [(p.row_id, p.source_id) for p in test.near] == [("test0", "train1"), ("test1", "train1")]
    assert test.near[0].similarity == pytest.approx(jaccard(shingles(near), shingles(near + "!")))
    assert (test.share.value, test.share.n) == (0.75, 4)
    assert by_parts["train", "validation"].share.value == 0
    assert by_parts["validation", "test"].exact == ()


def test_overlaps_between_validation_and_test_are_found() -> None:
    one, two = sentences(2)
    found = {(o.source, o.part): o for o in overlaps(*parts(train=[two], validation=[one], test=[one + "!"]))}
    assert [(p.row_id, p.source_id) for p in found["validation", "test"].near] == [("test0", "validation0")]


def test_a_test_row_is_found_although_its_training_row_has_many_neighbours_in_validation() -> None:
    base = "The quick brown fox jumps over the lazy dog and runs away to the deep dark woods"
    crowd = [f"{base} {i}" for i in range(100, 160)]
    found = {(o.source, o.part): o for o in overlaps(*parts(train=[base], validation=crowd, test=[base + "!"]))}
    assert len(found["train", "validation"].near) == 60
    assert [p.row_id for p in found["train", "test"].near] == ["test0"]


def test_rows_without_a_part_and_parts_without_rows_are_passed_over() -> None:
    texts, where = parts(train=sentences(3), test=sentences(3, seed=1))
    found = overlaps({**texts, "left out": texts["test0"]}, where)
    assert [(o.source, o.part, o.rows) for o in found] == [("train", "test", 3)]


@pytest.mark.shared_data
def test_the_planted_leak_is_found(shared_data: Path) -> None:
    texts, where = {}, {}
    for part in ("train", "test"):
        with open(shared_data / "nasty" / f"leak_{part}.csv", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                texts[f"{part} {row['id']}"], where[f"{part} {row['id']}"] = row["text"], part
    (found,) = overlaps(texts, where)
    assert (found.rows, len(found.exact)) == (100, 40)
    assert 18 <= len(found.near) <= 22
