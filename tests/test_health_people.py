"""What the health report says about people and about how texts relate to others: ties, rude words, leakage, real use."""

from __future__ import annotations

import random

import numpy as np
import pytest
from health_examples import BAD, PLACES, chats, labelled, of, one, reviews

from core.data import toxicity
from core.data.diversity import compression, distinct, measure, vendi
from core.data.duplicates import clusters
from core.data.health import Around, Earlier, Tokens, report
from core.data.identity import find_terms
from core.data.probes import probes
from core.data.real_use import auc, compare, divergence, divergence_of
from core.data.text_model import features, out_of_fold
from core.schemas.findings import Severity

# Wrong labels


def test_flipped_labels_are_listed_first_and_nothing_else_much() -> None:
    rows = reviews(400)
    rng = random.Random(2)
    wrong = set(rng.sample(range(400), 60))
    flip = {"positive": "negative", "negative": "positive"}
    noisy = [(t, flip[y] if i in wrong else y) for i, (t, y) in enumerate(rows)]
    finding = one(report(labelled(noisy), "classification"), "label_noise", Severity.WARNING)
    listed = [suspect["row_id"] for suspect in finding.data["suspects"]]
    hits = [row for row in listed if int(row[1:]) in wrong]
    assert len(hits) > 45 and len(hits) > 0.9 * len(listed)  # 49 of 49 when this was written
    assert finding.data["queue"] == "label_noise" and finding.estimate is not None and finding.estimate.n == 400
    first = finding.data["suspects"][0]
    assert {"row_id", "label", "suggested", "confidence", "suggested_confidence"} <= set(first)


def test_labels_that_words_cannot_tell_are_not_called_wrong() -> None:
    rng = random.Random(4)
    result = report(labelled((t, rng.choice("ab")) for t, _ in reviews(300)), "classification")
    assert "could not be looked for" in one(result, "label_noise", Severity.INFO).title


def test_a_copy_does_not_confirm_its_own_wrong_label() -> None:
    texts = [t for t, _ in reviews(200)]
    y = np.asarray([label == "positive" for _, label in reviews(200)], dtype=int)
    found = features(texts * 2)
    assert found is not None
    both = np.concatenate([y, y])
    both[0] = both[200] = 1 - both[0]  # the same wrong label on both copies
    together = out_of_fold(found[0], both, texts * 2)
    assert together[0, both[0]] < 0.5 and together[200, both[0]] < 0.5


# Groups of people


def people(rows: int, share: dict[str, float], seed: int = 1) -> list[tuple[str, str]]:
    """Texts about a woman or a man in turn; `share` is how often each is called good."""
    rng = random.Random(seed)
    out = []
    for i in range(rows):
        who = ("woman", "man")[i % 2]
        text = f"The {who} at the {rng.choice(PLACES)} spoke about the {rng.choice(PLACES)} and the weather, case {i}"
        out.append((text, "good" if rng.random() < share[who] else "bad"))
    return out


def test_a_label_that_goes_with_a_group_is_pointed_at_with_rate_and_interval() -> None:
    result = report(labelled(people(400, {"woman": 0.3, "man": 0.7})), "classification")
    finding = one(result, "identity_labels", Severity.WARNING)
    assert "women" in finding.title and finding.data["unit"] == "points" and abs(finding.data["pmi"]) > 0.3
    assert finding.estimate is not None and finding.estimate.low is not None and finding.estimate.high is not None
    assert finding.estimate.low * finding.estimate.high > 0  # the interval of the difference leaves out 0
    assert len(set(finding.data["evidence"].values())) == 1


def test_rows_against_a_tie_to_a_group_are_not_offered_for_removal_as_wrong_labels() -> None:
    tied = report(labelled(people(400, {"woman": 0.12, "man": 0.88})), "classification")
    listed = one(tied, "label_noise")
    assert listed.data["queue"] and "fix_key" not in listed.data and "People" in listed.fix
    wrong = [(text, label if i % 12 else ("negative", "positive")[label == "negative"]) for i, (text, label) in
             enumerate(reviews(300))]  # fmt: skip
    assert one(report(labelled(wrong), "classification"), "label_noise").data["fix_key"] == "drop_rows"


def test_equal_rates_and_few_rows_raise_no_alarm() -> None:
    even = report(labelled(people(400, {"woman": 0.5, "man": 0.5})), "classification")
    assert one(even, "identity_labels").severity is Severity.GOOD
    few = of(
        report(labelled([*reviews(200), *people(24, {"woman": 0.0, "man": 1.0})]), "classification"), "identity_labels"
    )
    assert [f.severity for f in few] == [Severity.INFO]  # no good news either
    assert "Not enough data about 2 groups" in few[0].title


@pytest.mark.parametrize(
    "text", ["hug mexican", "respect trans", "i am deaf", "you are a nice old", "being blind is fine"]
)
def test_in_telegraphic_texts_a_term_may_stand_alone(text: str) -> None:
    assert find_terms(text, telegraphic=True)


@pytest.mark.parametrize("text", ["black coffee", "the old house burned", "white wine glass", "paint the fence black"])
def test_things_stay_things_in_telegraphic_texts(text: str) -> None:
    assert find_terms(text, telegraphic=True) == []


# Rude words


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("You IDIOT, go away", "IDIOT"),
        ("what an asshole!", "asshole"),
        ("please kill yourself", "kill yourself"),
        ("I’ll kill you", "I'll kill you"),
    ],
)
def test_rude_and_threatening_words_are_found_as_written(text: str, word: str) -> None:
    assert toxicity.load().find(text) == word


@pytest.mark.parametrize(
    "text",
    [
        "My gay neighbour is queer and HIV positive",
        "We read Moby Dick in Scunthorpe",
        "fire retardant and pest control",
        "a cocktail in Essex with class",
        "a Maine Coon cat and a pussy willow",
    ],
)
def test_names_of_groups_and_harmless_phrases_are_not_rude(text: str) -> None:
    assert toxicity.load().find(text) is None


def test_the_list_marks_no_harmless_sentence_about_any_group() -> None:
    sentences = probes()
    assert len(sentences) > 500
    assert [p.text for p in sentences if toxicity.load().find(p.text)] == []


def test_rude_rows_are_for_review_only_and_show_the_word() -> None:
    result = report(labelled([*reviews(100), ("That moron lost my parcel", "negative")]), "classification")
    finding = one(result, "toxicity")
    assert finding.severity is Severity.INFO and finding.data["evidence"] == {"r100": "moron"}
    assert "fix_key" not in finding.data and finding.data["queue"] == "toxicity"


# Leakage


def test_rows_shared_by_the_parts_are_counted_once_with_their_source() -> None:
    rows = reviews(200)
    moved = [*rows, rows[0], (rows[1][0] + "!", rows[1][1])]
    where = {f"r{i}": "test" if i >= 150 else "train" for i in range(202)}
    result = report(labelled(moved), "classification", around=Around(where=where, parted_by="the split"))  # type: ignore[arg-type]
    finding = one(result, "leakage", Severity.WARNING)
    # r174 and r130 are alike by the way these texts were made.
    assert "3 of the 52 test rows are also in training: 1 exactly, 2 nearly" in finding.title
    assert finding.data["evidence"]["r200"] == "as r0" and "like r1" in finding.data["evidence"]["r201"]
    assert finding.estimate is not None and finding.estimate.n == 52


def test_a_row_made_of_training_text_is_found_although_it_is_no_copy() -> None:
    rng = random.Random(3)
    words = ["".join(rng.choices("abdeilmnorstu", k=rng.randint(3, 9))) for _ in range(500)]
    texts = [" ".join(rng.choices(words, k=40)) for _ in range(60)]
    quoted = " ".join(texts[0].split()[:24]) + " " + " ".join(rng.choices(words, k=12))
    where = {f"r{i}": "train" if i < 50 else "test" for i in range(61)}
    rows = labelled([*((t, "ab"[i % 2]) for i, t in enumerate(texts)), (quoted, "a")])
    found = of(report(rows, "classification", around=Around(where=where, parted_by="the split")), "leakage")  # type: ignore[arg-type]
    assert [f.row_ids for f in found] == [("r60",)] and "mostly of training text" in found[0].title


def test_clean_parts_are_good_news() -> None:
    where = {f"r{i}": "train" if i % 5 else "test" for i in range(120)}
    rng = random.Random(8)
    words = ["".join(rng.choices("abdeilmnorstu", k=rng.randint(3, 9))) for _ in range(800)]
    rows = labelled((" ".join(rng.choices(words, k=12)), "ab"[i % 2]) for i in range(120))
    finding = one(report(rows, "classification", around=Around(where=where, parted_by="the split")), "leakage")  # type: ignore[arg-type]
    assert finding.severity is Severity.GOOD


def test_pairs_that_hang_together_are_one_cluster() -> None:
    assert clusters([(5, 7), (1, 2), (7, 9), (2, 4)]) == [[1, 2, 4], [5, 7, 9]]


# Real use


def test_examples_unlike_real_use_are_told_apart_with_what_they_lack() -> None:
    real = [
        f"hi where is my parcel nr {i}?? still nothing from the {p}, pls help asap" for i, p in enumerate(PLACES * 5)
    ]
    finding = one(
        report(labelled(reviews(200)), "classification", around=Around(real_texts=real)), "real_use", Severity.ERROR
    )
    assert finding.estimate is not None and finding.estimate.value > 0.95 and finding.data["unit"] == "auc"
    assert any("asap" in text for text in finding.data["examples"]) and "asap" in finding.data["words"]


def test_examples_like_real_use_are_good_news_and_a_handful_of_texts_is_not_judged() -> None:
    rows = reviews(400)
    real = [t for t, _ in rows[200:]]
    like = one(report(labelled(rows[:200]), "classification", around=Around(real_texts=real)), "real_use")
    assert like.severity is Severity.GOOD
    few = one(report(labelled(rows[:200]), "classification", around=Around(real_texts=real[:9])), "real_use")
    assert few.severity is Severity.INFO and "too few to judge" in few.title


def test_two_halves_of_one_set_cannot_be_told_apart() -> None:
    texts = [t for t, _ in reviews(400)]
    found = compare(texts[:200], texts[200:])
    assert found is not None and found.auc.low is not None and found.auc.low < 0.5 + 0.05


def test_the_auc_has_an_interval_even_where_it_is_perfect() -> None:
    estimate = auc(np.arange(50) + 100.0, np.arange(50.0))
    assert estimate.value == 1 and estimate.low is not None and 0.9 < estimate.low < 1
    assert auc(np.ones(40), np.ones(40)).value == 0.5


def test_divergence_is_nothing_between_equals_and_one_between_strangers() -> None:
    assert divergence(np.asarray([5, 5]), np.asarray([9, 9])) == pytest.approx(0)
    assert divergence(np.asarray([5, 0]), np.asarray([0, 9])) == pytest.approx(1)
    estimate, p = divergence_of([0] * 50 + [1] * 50, [1] * 90 + [0] * 10, 2)
    assert estimate.low is not None and estimate.low > 0 and p < 0.05


# Variety


def test_measures_of_variety_at_their_ends() -> None:
    same, different = [["a", "b", "c"]] * 20, [[f"w{i}", f"v{i}"] for i in range(20)]
    assert distinct(same, 2) == pytest.approx(2 / 40) and distinct(different, 2) == 1
    assert vendi(same) == pytest.approx(1) and vendi(different) == pytest.approx(20)
    assert compression(same) > compression(different)
    assert measure(["only one text"]) == {}


def test_a_loss_of_variety_is_told_beside_the_earlier_version() -> None:
    varied = reviews(500)
    before = one(report(labelled(varied), "classification"), "diversity").data["measures"]
    narrow = [(t, y) for t, y in varied if "station" in t]
    narrow = [(f"{t} once more {i % 3}", y) for i in range(12) for t, y in narrow]
    around = Around(earlier=[Earlier(1, before)])
    finding = one(report(labelled(narrow), "classification", around=around), "diversity", Severity.INFO)
    assert "less varied than in version 1" in finding.title and finding.data["chart"]["versions"][0]["number"] == 1
    again = one(report(labelled(varied), "classification", around=around), "diversity")
    assert again.severity is Severity.GOOD


# What is cut off


def cut(counts: list[int], **known: object) -> Around:
    ids = [f"r{i}" for i in range(len(counts))]
    given = {"max_length": 100, "planned": True, "context_length": 512, "rows": len(counts)} | known
    return Around(tokens=Tokens("Starter", ids, counts, **given))  # type: ignore[arg-type]


def test_rows_that_are_cut_are_counted_and_a_cut_answer_is_a_problem() -> None:
    few = one(report(labelled(reviews(200)), "classification", around=cut([50] * 199 + [120])), "truncation")
    assert few.severity is Severity.INFO and few.row_ids == ("r199",) and few.data["evidence"] == {"r199": "120 tokens"}
    assert "length to 120" in few.fix
    full = cut([50] * 199 + [900], max_length=512)
    assert "reads no more" in one(report(labelled(reviews(200)), "classification", around=full), "truncation").fix
    many = one(report(labelled(reviews(200)), "classification", around=cut([50] * 150 + [120] * 50)), "truncation")
    assert many.severity is Severity.WARNING and many.estimate is not None and many.estimate.value == 0.25
    talk = report(
        chats([(t, "yes, it is") for t, _ in reviews(80)]), "chat", around=cut([50] * 79 + [120], cuts_answers=True)
    )
    assert "the end of the answer" in one(talk, "truncation", Severity.ERROR).title
    whole = one(report(labelled(reviews(200)), "classification", around=cut([50] * 200)), "truncation")
    assert whole.severity is Severity.GOOD


def test_remains_of_web_pages_are_found_and_comparisons_are_not() -> None:
    marked = [(f"<b>Bold</b> &amp; new {i}", "positive") for i in range(4)]
    rows = [*reviews(100), *marked, ("a < b and c > d, <name>", "negative")]
    finding = one(report(labelled(rows), "classification"), "markup", Severity.WARNING)
    assert (
        finding.count == 4 and finding.data["fix_key"] == "strip_markup" and finding.data["evidence"]["r100"] == "<b>"
    )


def test_clean_rows_with_everything_around_them_raise_no_alarm() -> None:
    rows = reviews(300)
    where = {f"r{i}": ("train", "validation", "test")[min(2, (i % 10) // 7)] for i in range(300)}
    real, tokens = [t for t, _ in reviews(500)[300:]], cut([20] * 300).tokens
    around = Around(where=where, parted_by="the split", real_texts=real, tokens=tokens)  # type: ignore[arg-type]
    result = report(labelled(rows), "classification", around=around)
    # These texts come from three templates, so that some really are near copies.
    assert [f"{f.check}: {f.title}" for f in result.of(*BAD) if f.check not in ("leakage", "duplicates")] == []
