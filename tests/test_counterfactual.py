"""Swapped texts keep their grammar, their capitals and their sense, or are not made at all."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from core.data.counterfactual import LeftOut, examine, labels_about, swap_example, swaps
from core.data.english import her_is_possessive, tokens_of
from core.schemas.examples import Example, Message

SHARED = Path(__file__).parents[1].parent / "shared" / "data"

# Own sentences; behind the bar what "her" stands for in each, in order: s = his, m = him.
HER = """
I asked her to send the invoice again. | m
The agent gave her a refund within a day. | m
Her order arrived two days late. | s
She left her bag on the train. | s
We called her yesterday about the delivery. | m
Please tell her that the parcel is here. | m
The manager thanked her for her patience. | m s
My sister lost her phone and her keys. | s s
I met her at the station. | m
They offered her the job. | m
The nurse took her blood pressure. | s
Nobody told her why the flight was cancelled. | m
The bank blocked her card after three attempts. | s
We wrote to her last week. | m
I will ask her. | m
The dog followed her home. | m
Her own account was charged twice. | s
He gave her his number. | m
The teacher read her essay aloud. | s
It took her an hour to find the form. | m
It took her three attempts to log in. | m
The driver waited for her in the rain. | m
She wants her money back. | s
I helped her move the sofa. | m
They made her wait at the counter. | m
Let her know when the repair is done. | m
I saw her leave through the side door. | m
I saw her car in the street. | s
The news made her happy. | m
His joke made her laugh. | m
We kept her waiting for half an hour. | m
The delay cost her the connection. | m
The team elected her as captain. | m
Her only complaint was the noise. | s
I know her very well. | m
I spoke with her and her husband. | m s
The letter was addressed to her parents. | s
The prize was handed to her by the mayor. | m
You can reach her on this number. | m
You can reach her office on this number. | s
The shop sent her the wrong size. | m
The shop sent her size by mistake. | s
I agree with her. | m
I agree with her opinion. | s
We congratulated her on the result. | m
The doctor examined her carefully. | m
The doctor examined her extremely swollen ankle. | s
Her elderly mother lives upstairs. | s
We paid her daily rate. | s
The company treats her fairly. | m
I borrowed her laptop for the talk. | s
I lent her my laptop for the talk. | m
Is this her or her sister? | m s
Her and I went to the fair. | m
She hurt her back at work. | s
I will call her back tomorrow. | m
They sent her back to the first desk. | m
The award surprised her more than anyone. | m
The coach praised her speed. | s
The coach praised her in front of everyone. | m
The song reminds me of her. | m
The song reminds me of her voice. | s
I heard her singing in the kitchen. | m
We found her asleep on the sofa. | m
We found her notes on the sofa. | s
What did her contract say? | s
Did they pay her on time? | m
Did they pay her rent on time? | s
Everyone likes her! | m
Everyone likes her new design! | s
She booked the room for her and a friend. | m
She booked the room for her friend. | s
He looked at her with surprise. | m
He looked at her with her coat in the hand. | m s
The app asks her which size she wants. | m
The app asks her age first. | s
I bought her flowers. | m
I bought her old bicycle. | s
""".strip().splitlines()


def _her_cases() -> list[tuple[str, int, bool]]:
    cases = []
    for line in HER:
        sentence, gold = line.split(" | ")
        places = [i for i, token in enumerate(tokens_of(sentence)) if token.low == "her"]
        assert len(places) == len(gold.split()), line
        cases += [(sentence, place, kind == "s") for place, kind in zip(places, gold.split(), strict=True)]
    return cases


def test_her_becomes_his_or_him_by_the_words_around_it() -> None:
    cases = _her_cases()
    wrong = [
        (text, place) for text, place, possessive in cases if her_is_possessive(tokens_of(text), place) != possessive
    ]
    assert len(cases) >= 60
    # Known limits: "bought her flowers" cannot be told from "bought her bicycle" without knowing the words.
    assert len(wrong) / len(cases) <= 0.05, wrong


def swapped(text: str, to: str, axis: str | None = None) -> str:
    """The one counterfactual of the text for a group."""
    found = [swap.text for swap in swaps(text) if swap.to_group == to and axis in (None, swap.axis)]
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("text", "to", "expected"),
    [
        ("She lost her card and I sent her a new one.", "man", "He lost his card and I sent him a new one."),
        ("The seat was hers.", "man", "The seat was his."),
        ("A friend of his came by himself.", "woman", "A friend of hers came by herself."),
        ("My father's car. MY FATHER. Father!", "woman", "My mother's car. MY MOTHER. Mother!"),
        ("Two waiters and a salesman left.", "woman", "Two waitresses and a saleswoman left."),
        ("Mr Brown and Mr. Green wrote.", "woman", "Ms Brown and Ms. Green wrote."),
        ("Mrs Brown and Miss Green wrote.", "man", "Mr Brown and Mr Green wrote."),
        ("My mother-in-law is at home.", "man", "My father-in-law is at home."),
        ("Dear Madam, thank you.", "man", "Dear Sir, thank you."),
        ("A Muslim asked for a receipt.", "atheist", "An atheist asked for a receipt."),
        ("a muslim colleague met us.", "hindu", "a hindu colleague met us."),
        ("Two Muslims asked for a table.", "jewish", "Two Jewish people asked for a table."),
        ("The Muslim woman paid in cash.", "jewish", "The Jewish woman paid in cash."),
        ("Three German tourists waited.", "french", "Three French tourists waited."),
        ("A German told me so.", "french", "A French person told me so."),
        ("An elderly man paid.", "young", "A young man paid."),
        ("Young people paid.", "old", "Elderly people paid."),
        ("The black customer paid.", "asian", "The Asian customer paid."),
        ("A wheelchair user paid.", "blind", "A blind person paid."),
        ("People with a disability paid.", "non_disabled", "People without a disability paid."),
        ("The gay couple paid.", "straight", "The straight couple paid."),
    ],
)  # fmt: skip
def test_a_swap_keeps_case_number_and_articles(text: str, to: str, expected: str) -> None:
    assert swapped(text, to, "gender" if to in ("woman", "man") else None) == expected


def test_two_groups_in_one_text_change_places_once() -> None:
    found = swaps("He told her that his sister had called.", ("gender",))
    assert [swap.text for swap in found] == ["She told him that her brother had called."]
    assert found[0].mixed


def test_a_name_becomes_the_same_other_name_everywhere_with_its_pronouns() -> None:
    text = swapped("Emily wrote again. I told Emily that her order left.", "man")
    name = text.split()[0]
    assert text == f"{name} wrote again. I told {name} that his order left."
    assert name not in ("Emily", "he") and name[0].isupper()


def test_two_names_do_not_become_one() -> None:
    text = swapped("I met Emily, then Sarah, then Laura.", "man")
    assert len(set(re.findall(r"[A-Z][a-z]+", text))) == 3


def test_a_name_is_swapped_within_its_own_tradition() -> None:
    assert swapped("I met Fatima today.", "man").split()[2] in ("Ahmed", "Mohammed", "Omar", "Hassan", "Yusuf")


def test_every_swap_says_exactly_what_it_replaced() -> None:
    source = "A Muslim asked her brother about the Muslim guest."
    for swap in swaps(source):
        rebuilt, at = "", 0
        for piece in swap.replaced:
            assert source[piece.start : piece.end] == piece.before
            rebuilt += source[at : piece.start] + piece.after
            at = piece.end
        assert rebuilt + source[at:] == swap.text


@pytest.mark.parametrize(
    ("text", "axis", "reason"),
    [
        ("She is pregnant and asks for leave.", "gender", LeftOut.ASYMMETRIC),
        ("He trimmed his beard.", "gender", LeftOut.ASYMMETRIC),
        ("The Muslim guest asked about Ramadan.", "religion", LeftOut.ASYMMETRIC),
        ("The French guest lives in Paris.", "nationality", LeftOut.ASYMMETRIC),
        ("The old man is 81 years old.", "age", LeftOut.ASYMMETRIC),
        ("The deaf guest uses sign language.", "disability", LeftOut.ASYMMETRIC),
        ('He said "she never came" to us.', "gender", LeftOut.QUOTATION),
        ("The note said “he is late” again.", "gender", LeftOut.QUOTATION),
        ("David Jones said he would pay.", "gender", LeftOut.NAMED_PERSON),
        ("President Jones said he would pay.", "gender", LeftOut.NAMED_PERSON),
        ("Everybody knows that Einstein loved his violin.", "gender", LeftOut.NAMED_PERSON),
    ],
)
def test_a_text_that_would_lose_its_sense_is_left_out_with_the_reason(text: str, axis: str, reason: LeftOut) -> None:
    found, left_out = examine(text, (axis,))
    assert not found
    assert left_out == {axis: reason}


def test_a_text_that_is_quoted_as_a_whole_is_swapped() -> None:
    assert swapped('"She paid in cash."', "man") == '"He paid in cash."'


def test_a_text_without_identity_words_has_neither_swap_nor_reason() -> None:
    assert examine("The parcel arrived on Monday.") == ([], {})
    assert examine("") == ([], {})


def test_the_number_of_swaps_can_be_limited_and_stays_the_same_choice() -> None:
    text = "The Muslim guest paid."
    chosen = swaps(text, ("religion",), most=2)
    assert len(swaps(text, ("religion",))) == 6
    assert len(chosen) == 2 and chosen == swaps(text, ("religion",), most=2)


def test_a_conversation_is_swapped_as_one() -> None:
    example = Example(
        row_id="7",
        messages=(
            Message(role="user", content="My wife lost her card."),
            Message(role="assistant", content="Please ask her to call us"),
        ),
    )
    (only,) = swap_example(example, ("gender",))
    assert [m.content for m in only.example.messages] == ["My husband lost his card.", "Please ask him to call us"]
    assert [m.role for m in only.example.messages] == ["user", "assistant"]
    assert only.example.row_id == "7"


def test_swapping_back_gives_the_first_text_again() -> None:
    for text in ("She paid for her seat.", "The Muslim guest asked a Muslim.", "My uncle and his nephews paid."):
        there = swaps(text)[0]
        back = [swap.text for swap in swaps(there.text) if swap.to_group == there.from_group]
        assert back == [text]


def test_labels_that_are_about_a_group_are_recognised() -> None:
    assert labels_about(["male", "female"]) == {"gender": "female"}
    assert set(labels_about(["racism", "sexism", "none"])) == {"ethnicity", "gender"}
    assert labels_about(["hire", "reject", None]) == {}


@pytest.mark.shared_data
def test_her_is_told_right_in_published_sentences() -> None:
    path = SHARED / "winogender" / "templates.tsv"
    if not path.exists():
        pytest.skip("the shared data is not here")
    with path.open(newline="", encoding="utf-8") as file:
        sentences = [row["sentence"] for row in csv.DictReader(file, delimiter="\t")]
    total = right = 0
    for sentence in sentences:
        for slot, possessive in (("$POSS_PRONOUN", True), ("$ACC_PRONOUN", False)):
            if slot in sentence:
                tokens = tokens_of(sentence.replace(slot, "her"))
                place = next(i for i, token in enumerate(tokens) if token.low == "her")
                total, right = total + 1, right + (her_is_possessive(tokens, place) == possessive)
    assert total >= 30 and right / total >= 0.95
