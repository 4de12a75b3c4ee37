"""Baselines: what plain methods reach on the same rows, whatever the texts look like."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from core import metrics
from core.data import baselines
from core.data.wordsplit import without_spaces, words
from core.schemas.errors import UserError
from core.schemas.examples import Example, Message

ACCURACY = metrics.registry()["accuracy"]


def labelled(rows: Sequence[tuple[str, str]], prefix: str = "r") -> list[Example]:
    return [Example(row_id=f"{prefix}{i}", text=text, label=label) for i, (text, label) in enumerate(rows)]


def conversation(row_id: str, question: str, answer: str) -> Example:
    said = (Message(role="user", content=question), Message(role="assistant", content=answer))
    return Example(row_id=row_id, messages=said)


TRAIN = labelled(
    [
        ("where is my parcel", "delivery"),
        ("the parcel has not arrived", "delivery"),
        ("my parcel is late again", "delivery"),
        ("I want my money back", "refund"),
        ("please refund the money", "refund"),
    ]
)
TEST = labelled([("is the parcel late", "delivery"), ("give me the money", "refund")], "t")


def test_the_majority_baseline_always_names_the_most_frequent_training_label():
    predictions = baselines.majority(TRAIN, TEST)
    assert [item.predicted for item in predictions.items] == ["delivery", "delivery"]
    assert predictions.labels == ("delivery", "refund")
    assert predictions.items[0].probabilities == (0.6, 0.4)
    assert [item.row_id for item in predictions.items] == ["t0", "t1"]


def test_word_counts_learn_what_the_words_tell():
    predictions = baselines.word_counts(TRAIN, TEST)
    assert [item.predicted for item in predictions.items] == ["delivery", "refund"]
    assert all(sum(item.probabilities) == pytest.approx(1) for item in predictions.items)
    assert predictions == baselines.word_counts(TRAIN, TEST)


def test_word_counts_beat_the_majority_where_words_matter_and_not_where_labels_are_random():
    rng = np.random.default_rng(0)
    vocabulary = np.array([f"word{i}" for i in range(60)])
    texts = [" ".join(rng.choice(vocabulary, 8)) for _ in range(300)]
    by_word = [(text, "yes" if "word1 " in text + " " or "word2 " in text + " " else "no") for text in texts]
    by_chance = [(text, str(rng.choice(["yes", "no"]))) for text in texts]
    for rows, verdict in ((by_word, "better"), (by_chance, "no evidence")):
        train, test = labelled(rows)[:200], labelled(rows)[200:]
        plain, counted = baselines.majority(train, test), baselines.word_counts(train, test)
        assert metrics.compare(ACCURACY, plain, counted).verdict == verdict


@pytest.mark.parametrize("baseline", [baselines.majority, baselines.word_counts])
def test_baselines_follow_the_order_of_the_models_labels(baseline):
    labels = ("refund", "unused", "delivery")
    predictions = baseline(TRAIN, TEST, labels)
    assert predictions.labels == labels
    assert all(item.probabilities[1] == 0 for item in predictions.items)
    with pytest.raises(ValueError, match="not among the labels"):
        baseline(TRAIN, TEST, ("refund",))


def test_chinese_is_counted_by_characters():
    train = labelled([("很好吃", "good"), ("味道很好", "good"), ("太慢了", "bad"), ("送餐太慢", "bad")] * 3)
    predictions = baselines.word_counts(train, labelled([("真的很好", "good"), ("慢", "bad")], "t"))
    assert ACCURACY.compute(predictions).value == 1.0


@pytest.mark.parametrize(
    "texts", [["", "", ""], ["!!!", "???", "..."], ["😀", "😡", "😀"], ["a", "b", "c"], [" ", "\n", "x"]]
)
def test_word_counts_survive_texts_without_words(texts: list[str]):
    train = labelled(list(zip(texts, ["x", "y", "x"], strict=True)))
    assert len(baselines.word_counts(train, labelled([("?", "x"), ("", "y")], "t"))) == 2


def test_one_label_only_is_the_majority():
    train = labelled([("a b", "only"), ("c d", "only")])
    assert baselines.word_counts(train, TEST) == baselines.majority(train, TEST)


def test_rows_without_a_label_are_not_learnt_from():
    train = [*TRAIN, Example(row_id="u", text="no label here")]
    assert baselines.majority(train, TEST) == baselines.majority(TRAIN, TEST)
    assert baselines.word_counts(train, TEST) == baselines.word_counts(TRAIN, TEST)


@pytest.mark.parametrize("baseline", [baselines.majority, baselines.word_counts, baselines.nearest_answers])
def test_nothing_to_learn_from_is_said_plainly(baseline):
    with pytest.raises(UserError, match="nothing to compare with"):
        baseline([], TEST)


def test_very_many_rows_are_sampled_and_no_label_is_invented(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(baselines, "MOST_ROWS", 4)
    predictions = baselines.word_counts(TRAIN, TEST)
    assert predictions.labels == ("delivery", "refund")
    assert predictions == baselines.word_counts(TRAIN, TEST, seed=0)


def test_the_retrieval_baseline_copies_the_answer_of_the_most_similar_question():
    train = [
        conversation("a", "How long does delivery take?", "Three days."),
        conversation("b", "Do you ship abroad?", "Yes, to all of Europe."),
        Example(row_id="c", messages=(Message(role="user", content="How long will the delivery take?"),)),
    ]
    test = [conversation("t", "how long will delivery take", "Two to three days."), conversation("u", "???", "Pardon?")]
    predictions = baselines.nearest_answers(train, test)
    first, second = predictions.items
    assert (first.row_id, first.text, first.reference) == ("t", "Three days.", "Two to three days.")
    assert (first.finished, first.nll) == (True, None)
    assert second.text in {"Three days.", "Yes, to all of Europe."}
    assert metrics.registry()["loss"].compute(predictions) is None
    assert metrics.registry()["rouge_l"].compute(predictions).n == 2


def test_retrieval_works_in_blocks_of_questions():
    train = [conversation(f"a{i}", f"question number {i} about thing{i}", f"answer {i}") for i in range(40)]
    test = [conversation(f"t{i}", f"about thing{i % 40}", "x") for i in range(600)]
    assert [item.text for item in baselines.nearest_answers(train, test).items] == [
        f"answer {i % 40}" for i in range(600)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't STOP, naïve_one!", ["don", "t", "stop", "naïve", "one"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("我爱你", ["我", "爱", "你"]),
        ("เก็บ", ["เ", "ก็", "บ"]),
        ("e\u0301te\u0301", ["été"]),
        ("、。 …", []),
    ],
)
def test_words_are_found_in_every_script(text: str, expected: list[str]):
    assert words(text) == expected


def test_scripts_without_spaces_are_recognised_by_their_letters():
    assert without_spaces(["我爱北京 hello"]) and without_spaces(["ยกเลิกคำสั่งซื้อ"])
    assert not without_spaces(["hello 我 and so on", "한국어 문장"]) and not without_spaces(["", "123"])


@pytest.mark.shared_data
def test_word_counts_reach_the_known_level_on_real_reviews(shared_data: Path):
    def read(name: str, limit: int) -> list[Example]:
        with (shared_data / "sst2" / name).open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
        return labelled([(text, label) for text, label in rows[:: max(1, len(rows) // limit)]], name)

    predictions = baselines.word_counts(read("train.tsv", 2000), read("test.tsv", 600))
    accuracy = ACCURACY.compute(predictions)
    assert accuracy.low > 0.65 and accuracy.high < 0.9
