"""Preference data: how rows become pairs and rated answers, what the health report warns of, and how models are judged."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from health_examples import of

from core.data import preference_margins, preference_verdict
from core.data.column_names import plain_name
from core.data.columns import describe_columns
from core.data.health import report
from core.data.shapes import recognise_shape, suggest_roles
from core.data.thumbs import thumb
from core.importers import read
from core.metrics import compare
from core.metrics import registry as metrics
from core.schemas.errors import UserError
from core.schemas.estimates import Verdict
from core.schemas.evaluation import EvaluationResult
from core.schemas.examples import Example, Message
from core.schemas.findings import Severity
from core.schemas.predictions import TextPrediction, TextPredictions
from core.services import evaluations
from core.tasks import registry as tasks

TASK = tasks()["preference"]
PAIRS = {"prompt": "q", "chosen": "good", "rejected": "bad"}
THUMBS = {"prompt": "q", "response": "a", "rating": "t"}


def pair(row_id: str, asked: str, chosen: str, rejected: str) -> Example:
    turns = (Message(role="user", content=asked), Message(role="assistant", content=chosen))
    return Example(row_id=row_id, messages=turns, rejected=rejected)


def rated(row_id: str, asked: str, answer: str, liked: bool) -> Example:
    turns = (Message(role="user", content=asked), Message(role="assistant", content=answer))
    return Example(row_id=row_id, messages=turns, liked=liked)


# -- rows --------------------------------------------------------------------------------------------------------------


def test_a_row_with_two_answers_is_a_pair() -> None:
    example = TASK.to_example({"q": "Where?", "good": "Here.", "bad": "No."}, PAIRS, "1")
    assert example is not None
    assert [m.content for m in example.messages] == ["Where?", "Here."]
    assert example.rejected == "No."
    assert example.other is not None
    assert [m.content for m in example.other.messages] == ["Where?", "No."]


@pytest.mark.parametrize("form", ["turns", "transcript"])
def test_two_whole_conversations_share_what_came_before(form: str) -> None:
    said = [("user", "Hi"), ("assistant", "Hello"), ("user", "Where?")]

    def written(answer: str) -> str:
        turns = [*said, ("assistant", answer)]
        if form == "turns":
            return json.dumps([{"role": role, "content": text} for role, text in turns])
        names = {"user": "Human", "assistant": "Assistant"}
        return "\n\n" + "\n\n".join(f"{names[role]}: {text}" for role, text in turns)

    roles = {"chosen": "good", "rejected": "bad"}
    example = TASK.to_example({"good": written("Here."), "bad": written("No.")}, roles, "1")
    assert example is not None
    assert [(m.role, m.content) for m in example.messages] == [*said, ("assistant", "Here.")]
    assert example.rejected == "No."


def test_answers_to_different_questions_are_no_pair() -> None:
    def written(asked: str) -> str:
        return json.dumps([{"role": "user", "content": asked}, {"role": "assistant", "content": "Yes."}])

    assert (
        TASK.to_example({"good": written("a"), "bad": written("b")}, {"chosen": "good", "rejected": "bad"}, "1") is None
    )


@pytest.mark.parametrize(
    ("written", "liked"), [("👍🏽", True), ("Thumbs up", True), ("FALSE", False), ("0.0", False), ("3", None)]
)
def test_thumbs_are_read_as_people_write_them(written: str, liked: bool | None) -> None:
    assert thumb(written) is liked
    example = TASK.to_example({"q": "Where?", "a": "Here.", "t": written}, THUMBS, "1")
    assert (example.liked if example else None) is liked


@pytest.mark.parametrize("roles", [{}, {"prompt": "q"}, {"chosen": "good"}, {"response": "a", "rating": "t"}])
def test_half_of_what_a_preference_needs_is_refused(roles: dict[str, str]) -> None:
    with pytest.raises(UserError):
        TASK.check_roles(roles)


def test_answers_with_thumbs_are_recognised() -> None:
    table = pa.table({
        "prompt": [f"question {n}?" for n in range(40)],
        "completion": [f"a long enough answer number {n}" for n in range(40)],
        "label": ["True" if n % 3 else "False" for n in range(40)],
    })  # fmt: skip
    assert recognise_shape(table, describe_columns(table)) == "thumbs"
    assert suggest_roles(table, "preference") == {"prompt": "prompt", "response": "completion", "rating": "label"}
    assert plain_name("Thumbs Up") == "thumbs_up"


# -- health ------------------------------------------------------------------------------------------------------------


def varied(count: int, longer: float, seed: int = 1) -> list[Example]:
    """Pairs in which the longer answer is the better one in this share."""
    rng = random.Random(seed)
    words = "parcel lamp kettle refund order address phone chair today box money shop".split()
    out = []
    for n in range(count):
        short, long = (" ".join(rng.choices(words, k=k)) + f" {n}." for k in (6, 14))
        wins = n < longer * count
        out.append(
            pair(
                f"r{n}", f"question {n} about the {rng.choice(words)}", long if wins else short, short if wins else long
            )
        )
    return out


def test_healthy_pairs_get_good_news() -> None:
    (found,) = of(report(varied(120, 0.5), "preference"), "preferences")
    assert found.severity is Severity.GOOD


@pytest.mark.parametrize(("share", "word"), [(0.85, "longer"), (0.15, "shorter")])
def test_a_bias_of_length_is_named_with_its_interval(share: float, word: str) -> None:
    (found,) = of(report(varied(120, share), "preference"), "preferences")
    assert found.title == f"The {word} answer is preferred in 85% of the pairs"
    assert found.estimate is not None
    assert (found.estimate.n, round(found.estimate.value, 2)) == (120, 0.85)
    assert found.estimate.low is not None
    assert found.estimate.low > 0.6


def test_few_pairs_say_nothing_of_length() -> None:
    (found,) = of(report(varied(15, 1.0), "preference"), "preferences")
    assert found.severity is Severity.GOOD


def test_equal_and_contradicting_answers_are_found_and_can_be_removed() -> None:
    rows = [
        *varied(60, 0.5),
        pair("same", "What now?", "Yes.", " yes. "),
        pair("one", "Which?", "This lamp.", "That lamp."),
        pair("other", "Which?", "That lamp.", "This lamp."),
    ]
    equal, contrary = of(report(rows, "preference"), "preferences")
    assert (equal.row_ids, set(contrary.row_ids)) == (("same",), {"one", "other"})
    assert equal.data["fix_options"]["rows"] == ["same"]


def test_one_sided_and_contradicting_thumbs_are_found() -> None:
    rows = [rated(f"r{n}", f"question {n}", f"answer {n}", n >= 5) for n in range(100)]
    (few,) = of(report(rows, "preference"), "preferences")
    assert few.title == "Only 5 thumbs down among 100"
    twice = [*rows, *(rated(f"x{n}", f"question {n}", f"answer {n}", n < 5) for n in range(30))]
    assert len(of(report(twice, "preference"), "preferences")[0].row_ids) == 60
    (none,) = of(report([r.model_copy(update={"liked": True}) for r in rows], "preference"), "preferences")
    assert none.severity is Severity.ERROR


# -- judging -----------------------------------------------------------------------------------------------------------


def scored(examples: list[Example], better: float, worse: float, text: str = "fine") -> TextPredictions:
    """A model that finds better and worse answers so surprising (nats)."""
    return TextPredictions(tuple(
        TextPrediction(
            e.row_id, e.prompt[-1].content, e.reference, text, True, 3, better, 10, 5, 20, rejected=e.rejected,
            rejected_nll=worse,
        )
        for e in examples
    ))  # fmt: skip


def weighed(examples: list[Example], base: TextPredictions, tuned: TextPredictions) -> EvaluationResult:
    contenders = evaluations.weigh({"base": base, "tuned": tuned})
    contenders |= evaluations.simple_baselines("causal-lm", {"train": [], "test": examples}, "test")
    return evaluations.build("preference", "test", contenders, "", 0.0, {})


def test_the_reward_is_what_training_has_changed() -> None:
    """-log p falls by 2 for the better and rises by 1 for the worse answer: log ratios 2 and -1, so the margin is 3."""
    rows = varied(3, 0.5)
    found = preference_margins.by_reward(scored(rows, 8.0, 10.0), scored(rows, 10.0, 9.0))
    assert [item.margin for item in found.items] == [3.0] * 3
    assert [item.margin for item in preference_margins.by_likelihood(scored(rows, 10.0, 9.0)).items] == [-1.0] * 3


def test_learning_more_than_length_is_worth_it(storage: Path) -> None:
    rows = varied(100, 0.5)
    result = weighed(rows, scored(rows, 10, 9), scored(rows, 8, 12))
    accuracy = result.metric("preference_accuracy")
    assert accuracy is not None
    assert {name: e.value for name, e in accuracy.values.items()} == {"tuned": 1.0, "base": 0.0, "longer": 0.5}
    assert (result.verdict, result.worth_it) == (Verdict.BETTER, True)
    assert any("it has learned more than length" in sentence for sentence in result.sentences)


def test_what_length_alone_explains_is_not_worth_it(storage: Path) -> None:
    rows = varied(100, 1.0)
    result = weighed(rows, scored(rows, 10, 9), scored(rows, 8, 12))
    assert (result.verdict, result.worth_it) == (Verdict.BETTER, False)
    assert any("no sign that it has learned more than length" in sentence for sentence in result.sentences)


def test_better_than_a_base_that_was_wrong_but_not_than_guessing_is_no_evidence(storage: Path) -> None:
    rows = varied(100, 0.5)
    mixed = scored(rows, 8, 12).items[:50] + scored(rows, 12, 8).items[50:]
    result = weighed(rows, scored(rows, 10, 9), TextPredictions(mixed))
    assert result.verdict is Verdict.NO_EVIDENCE
    assert any("no better than guessing" in sentence for sentence in result.sentences)


def test_answers_that_grow_are_a_warning_with_figures(storage: Path) -> None:
    rows = varied(100, 0.5)
    long = TextPredictions(
        tuple(replace(i, text="word " * (30 + n % 5)) for n, i in enumerate(scored(rows, 8, 12).items))
    )
    short = TextPredictions(
        tuple(replace(i, text="word " * (10 + n % 3)) for n, i in enumerate(scored(rows, 10, 9).items))
    )
    told = weighed(rows, short, long).sentences
    said = "Warning: its answers have grown from 11 to 32 words on average (100 answers); the better answers of your data have 11"
    assert any(sentence.startswith(said) for sentence in told)
    assert not any(s.startswith("Warning") for s in weighed(rows, short, short).sentences)


def test_without_a_base_there_is_no_verdict() -> None:
    assert preference_verdict.summary(metrics()["preference_accuracy"], None, None, None) is None


def test_predictions_from_before_there_were_preferences_can_be_read() -> None:
    old = TextPredictions((TextPrediction("1", "q", "a", "b"),))
    table = old.to_table().drop_columns(["rejected", "rejected_nll", "margin", "liked"])
    assert TextPredictions.from_table(table) == old


def test_equal_answers_are_left_out_of_the_score() -> None:
    rows = [*varied(40, 0.5), pair("same", "q", "Yes.", "Yes.")]
    base, tuned = scored(rows, 10, 9), scored(rows, 8, 12)
    made = evaluations.weigh({"base": base, "tuned": tuned})
    found = compare(metrics()["preference_accuracy"], made["base"], made["tuned"])
    assert found is not None
    assert found.tuned.n == 40


@pytest.mark.shared_data
def test_every_row_of_a_public_preference_file_becomes_a_pair(shared_data: Path) -> None:
    table, found = read(shared_data / "dpo_en_demo" / "dpo_en_demo.json", "dpo_en_demo.json")
    roles = found.roles["preference"]
    rows = [TASK.to_example(row, roles, str(n)) for n, row in enumerate(table.to_pylist())]
    pairs = [row for row in rows if row is not None]
    assert len(pairs) == 300
    assert all(row.rejected and row.reference for row in pairs)
    assert not any(row.rejected.startswith("{") for row in pairs)
