"""The sample data that ships: made again bit for bit, with the flaws that its page documents and no others."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "assets" / "samples"
CATEGORIES = ("Delivery", "Returns", "Billing", "Product", "Account", "Website")
MENDED = {
    "Delivery ": "Delivery", "delivery": "Delivery", "RETURNS": "Returns", "Retruns": "Returns",
    "billing ": "Billing", "Biling": "Billing", "product": "Product", "Acount": "Account",
}  # fmt: skip
NEAR = 0.8  # Jaccard similarity of 5-character shingles from which two messages count as near-duplicates
Row = dict[str, str]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    with open(SAMPLES / "support_messages.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def flaws() -> dict[str, list[str]]:
    return json.loads((SAMPLES / "support_messages_flaws.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def clean(rows: list[Row], flaws: dict[str, list[str]]) -> list[Row]:
    """The rows without any planted flaw."""
    flawed = {name for names in flaws.values() for name in names}
    return [row for row in rows if row["id"] not in flawed]


def questions() -> list[Row]:
    return [json.loads(line) for line in (SAMPLES / "shop_questions.jsonl").read_text(encoding="utf-8").splitlines()]


def texts() -> list[Row]:
    return [json.loads(line) for line in (SAMPLES / "style_texts.jsonl").read_text(encoding="utf-8").splitlines()]


def similarities(messages: list[str]) -> np.ndarray:
    """Jaccard similarity of the 5-character shingles of every two messages, 0 on and below the diagonal."""
    plain = [" ".join(message.lower().split()) for message in messages]
    counts = CountVectorizer(analyzer="char", ngram_range=(5, 5), binary=True, dtype=np.float32).fit_transform(plain)
    shared = (counts @ counts.T).toarray()
    sizes = shared.diagonal()
    return np.triu(shared / (sizes[:, None] + sizes[None, :] - shared), k=1)


def test_the_generator_writes_the_shipped_files_bit_for_bit(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "tools.make_samples", "--output", str(tmp_path)],
        cwd=ROOT, check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": "7"},
    )  # fmt: skip
    made = sorted(path.name for path in tmp_path.iterdir())
    assert made == sorted(path.name for path in SAMPLES.iterdir() if path.name != "README.md")
    for name in made:
        assert (tmp_path / name).read_bytes() == (SAMPLES / name).read_bytes(), name


def test_the_page_states_the_true_counts(rows: list[Row], flaws: dict[str, list[str]]) -> None:
    page = (SAMPLES / "README.md").read_text(encoding="utf-8")
    stated = {
        name: int(count.replace(",", "")) for name, count in re.findall(r"^\| `?(\w+)`? \| ([\d,]+) \|", page, re.M)
    }
    counts = Counter(MENDED.get(row["category"], row["category"]) for row in rows)
    assert stated == {**counts, **{flaw: len(names) for flaw, names in flaws.items()}}
    for name, number in (("support_messages.csv", 1500), ("shop_questions.jsonl", 300), ("style_texts.jsonl", 48)):
        assert re.search(rf"`{re.escape(name)}` \|[^|]+\| {number:,} \|", page)
    assert (len(rows), len(questions()), len(texts())) == (1500, 300, 48)


def test_the_rarest_category_has_about_half_the_rows_of_the_largest(rows: list[Row]) -> None:
    counts = Counter(MENDED.get(row["category"], row["category"]) for row in rows)
    assert set(counts) == set(CATEGORIES)
    assert 0.45 <= min(counts.values()) / max(counts.values()) <= 0.6


def test_no_row_has_two_planted_flaws(flaws: dict[str, list[str]]) -> None:
    names = [name for found in flaws.values() for name in found]
    assert len(names) == len(set(names))


def test_every_exact_duplicate_repeats_an_earlier_row_and_nothing_else_repeats(
    rows: list[Row], flaws: dict[str, list[str]]
) -> None:
    planted = {*flaws["exact_duplicates"], *flaws["contradicting_labels"], *flaws["empty_messages"]}
    seen: dict[str, Row] = {}
    for row in rows:
        first = seen.setdefault(row["message"], row)
        if row["id"] in flaws["exact_duplicates"]:
            assert (first["category"], first["channel"]) == (row["category"], row["channel"])
            assert first["id"] != row["id"]
            assert first["received"] < row["received"]
        elif row["id"] not in planted:
            assert first is row


def test_each_contradiction_is_one_message_with_two_categories(rows: list[Row], flaws: dict[str, list[str]]) -> None:
    found: dict[str, set[str]] = {}
    for row in rows:
        if row["id"] in flaws["contradicting_labels"]:
            found.setdefault(row["message"], set()).add(row["category"])
    assert [len(labels) for labels in found.values()] == [2] * 6


def test_near_duplicates_are_those_planted_and_no_others(rows: list[Row], flaws: dict[str, list[str]]) -> None:
    whole = [row for row in rows if row["message"].strip()]
    alike = np.argwhere(similarities([row["message"] for row in whole]) >= NEAR)
    pairs = [(whole[first], whole[second]) for first, second in alike]
    near = [second["id"] for first, second in pairs if first["message"] != second["message"]]
    assert sorted(near) == flaws["near_duplicates"]
    assert len(pairs) == len(flaws["exact_duplicates"]) + 6 + len(flaws["near_duplicates"])


def test_only_the_planted_rows_have_stray_labels_or_no_message(rows: list[Row], flaws: dict[str, list[str]]) -> None:
    stray = {row["id"]: row["category"] for row in rows if row["category"] not in CATEGORIES}
    assert sorted(stray) == flaws["stray_labels"]
    assert sorted(stray.values()) == sorted(MENDED)
    assert [row["id"] for row in rows if not row["message"].strip()] == flaws["empty_messages"]


def test_personal_data_is_planted_fake_and_nowhere_else(rows: list[Row], flaws: dict[str, list[str]]) -> None:
    mails = {row["id"]: re.findall(r"\S+@[\w.]*\w", row["message"]) for row in rows}
    phones = {row["id"]: re.findall(r"\d{3}-\d{4}\b", row["message"]) for row in rows}
    assert [row["id"] for row in rows if mails[row["id"]] or phones[row["id"]]] == flaws["personal_data"]
    assert all(mail.endswith("@example.com") for found in mails.values() for mail in found)
    assert all(phone.startswith("555-01") for found in phones.values() for phone in found)


def test_no_single_word_gives_the_category_away(clean: list[Row]) -> None:
    labels = np.array([row["category"] for row in clean])
    counts = CountVectorizer(binary=True, min_df=8).fit_transform([row["message"] for row in clean]).toarray()
    in_category = np.array([counts[labels == category].sum(axis=0) for category in CATEGORIES])
    sizes = np.array([(labels == category).sum() for category in CATEGORIES])
    share = in_category.max(axis=0) / counts.sum(axis=0)
    assert (share > 0.9).mean() < 0.02
    # The best rule "rows with this word are A, all others are B" over all words, A and B.
    right = in_category.max(axis=0) + (sizes[:, None] - in_category).max(axis=0)
    assert right.max() / len(clean) < 0.35


def test_word_counts_learn_the_categories_but_not_perfectly(clean: list[Row]) -> None:
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        OneVsRestClassifier(LogisticRegression(C=10, solver="liblinear")),  # many times as quick as all classes at once
    )
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    messages, labels = [row["message"] for row in clean], [row["category"] for row in clean]
    assert 0.78 <= cross_val_score(model, messages, labels, cv=folds).mean() <= 0.92


@pytest.mark.parametrize(
    ("women", "men"),
    [("she|her", "he|him|his"), ("wife|sister|mother|daughter|grandmother|aunt|girlfriend|niece",
                                 "husband|brother|father|son|grandfather|uncle|boyfriend|nephew")],
)  # fmt: skip
def test_women_and_men_are_mentioned_equally_often_in_every_category(clean: list[Row], women: str, men: str) -> None:
    def mentions(words: str) -> Counter[str]:
        return Counter(row["category"] for row in clean if re.search(rf"\b({words})\b", row["message"].lower()))

    of_women, of_men = mentions(women), mentions(men)
    assert min(of_women.total(), of_men.total()) >= 70
    for category in CATEGORIES:
        assert abs(of_women[category] - of_men[category]) <= 8, category


def test_every_fact_is_asked_and_answered_in_five_different_ways() -> None:
    pairs = questions()
    facts = Counter(pair["fact"] for pair in pairs)
    assert (len(facts), set(facts.values())) == (60, {5})
    assert len({pair["question"] for pair in pairs}) == len({pair["answer"] for pair in pairs}) == 300
    assert len({(pair["fact"], pair["topic"]) for pair in pairs}) == 60
    assert all(10 <= len(pair["answer"].split()) <= 40 for pair in pairs)


def test_the_answers_to_one_fact_name_the_same_numbers() -> None:
    numbers = re.compile(
        r"\b(\d+|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fourteen|fifteen|twenty|thirty|forty|sixty"
        r"|hundred|thousand)\b"
    )
    named: dict[str, set[tuple[str, ...]]] = {}
    for pair in questions():
        named.setdefault(pair["fact"], set()).add(tuple(sorted(numbers.findall(pair["answer"].lower()))))
    assert {fact: found for fact, found in named.items() if len(found) > 1} == {}


def test_the_log_entries_are_distinct_texts_of_the_stated_length() -> None:
    entries = texts()
    assert len({entry["title"] for entry in entries}) == 48
    assert all(116 <= len(entry["text"].split()) <= 133 for entry in entries)
    assert similarities([entry["text"] for entry in entries]).max() < 0.2


@pytest.mark.parametrize("read", [questions, texts])
def test_text_has_no_unfilled_slots_or_stray_spaces(read: Callable[[], list[Row]], rows: list[Row]) -> None:
    values = [value for row in read() for value in row.values()]
    values += [row["message"] for row in rows if row["message"].strip()]
    assert [value for value in values if re.search(r"[\[\]{}|]|  |^\s|\s$|\s[.,](\s|$)", value)] == []
