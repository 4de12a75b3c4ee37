"""What the health report says about texts and conversations: copies, lengths, languages, personal data, giveaways."""

from __future__ import annotations

import random
import time

import pytest
from health_examples import BAD, BAD_WORDS, GOOD_WORDS, PLACES, answers, chats, labelled, of, one, reviews

from core.data.health import report
from core.data.personal_data import find_all, is_card, is_iban, luhn
from core.schemas.examples import Example, Message
from core.schemas.findings import Severity

# Copies and contradictions


def test_exact_copies_near_copies_and_contradictions_are_counted_apart() -> None:
    rows = reviews(100)
    flipped = [(t, "positive" if y == "negative" else "negative") for t, y in rows[30:33]]
    spaced = [(f"  {t.upper()}", y) for t, y in rows[10:17]]
    result = report(labelled([*rows, *rows[:5], *spaced, *flipped]), "classification")
    assert result.counts["exact_copies"] == 5
    assert result.counts["contradictions"] == 3 and result.counts["contradicting_rows"] == 6
    near = [f for f in of(result, "duplicates") if "nearly" in f.title]
    assert "7 differ only in case or spaces" in near[0].title
    assert near[0].data["fix_key"] == "drop_near_duplicates" and near[0].data["clusters"]


def test_composed_and_decomposed_accents_are_the_same_text() -> None:
    rows = [*reviews(60), ("caf\u00e9 in the old town", "positive"), ("cafe\u0301 in the old town", "positive")]
    assert report(labelled(rows), "classification").counts["exact_copies"] == 1


def test_two_spellings_of_one_label_are_no_contradiction() -> None:
    rows = [*reviews(60), ("a fine place", "positive"), ("a fine place", "Positive ")]
    result = report(labelled(rows), "classification")
    assert result.counts["contradictions"] == 0 and result.counts["exact_copies"] == 1


def test_a_text_with_one_letter_changed_is_a_near_copy() -> None:
    text = "The delivery arrived three days late and nobody at the counter could tell me where it had been"
    result = report(
        labelled([*reviews(60), (text, "negative"), (text.replace("three", "threee"), "negative")]), "classification"
    )
    pairs = next(f.data["pairs"] for f in of(result, "duplicates") if "pairs" in f.data)
    assert {"a": "r60", "b": "r61"}.items() <= pairs[0].items()


def test_texts_that_differ_only_in_numbers_are_no_copies() -> None:
    tail = "although it was promised to us for the end of last week"
    rows = [(f"Order {100 + i} of the {place} has not come {tail}", "late") for i, place in enumerate(PLACES * 5)]
    rows += [
        (f"Bill {100 + i} has a mistake that nobody of the {place} mends", "bill") for i, place in enumerate(PLACES)
    ]
    result = report(labelled(rows), "classification")
    assert result.counts["exact_copies"] == result.counts["near_copies"] == 0
    assert result.counts["number_variants"] == 48
    assert all(f.severity in (Severity.INFO, Severity.GOOD) for f in of(result, "duplicates"))


# Texts


def test_a_giant_cell_is_reported_and_read_in_linear_time() -> None:
    giants = [("a" * 200_000, "positive"), ("@" + "x.y-" * 50_000, "negative"), ("1 " * 100_000, "positive")]
    begun = time.process_time()
    result = report(labelled([*reviews(100), *giants]), "classification")
    assert time.process_time() - begun < 10
    assert one(result, "lengths", Severity.WARNING).count == 3
    assert result.chart("lengths")["words"]["longest"] == 100_000


def test_the_length_chart_counts_every_text_once() -> None:
    chart = report(labelled([*reviews(100), ("", "positive"), ("我很喜欢这家店", "positive")]), "classification").chart(
        "lengths"
    )
    assert sum(chart["rows"]) == 102 and chart["words"]["shortest"] == 0
    assert len(chart["edges"]) == len(chart["rows"]) + 1


def test_a_second_language_is_pointed_out_with_its_rows() -> None:
    german = [
        (f"Wir waren am Wochenende im {p} und fanden es dort sehr {w} und angenehm", "positive")
        for p in PLACES
        for w in ("ruhig", "schön")
    ]
    result = report(labelled([*reviews(200), *german]), "classification")
    finding, by_label = of(result, "languages")
    assert "11% German" in finding.title and result.language == "en"
    assert "German goes with the label “positive”" in by_label.title and "0% of the others" in by_label.title
    assert set(finding.row_ids) <= {f"r{i}" for i in range(200, 224)} and len(finding.row_ids) > 15


@pytest.mark.parametrize("shape", ["{0} 0x{0:x} ;; 99{0} -- {0}{0}{0}", "Z̸̢̛a̶͎l̷g̴o̵ t̸e̷x̶t̵ {0} Z̸̢̛a̶͎l̷g̴o̵"])
def test_texts_without_words_get_no_language(shape: str) -> None:
    result = report(labelled((shape.format(i * 7919), "ab"[i % 2]) for i in range(60)), "classification")
    assert result.language is None and one(result, "languages").severity is Severity.INFO


def test_control_characters_and_broken_letters_are_told_apart_and_shown_harmlessly() -> None:
    rows = [
        *reviews(60),
        ("red \x1b[31malert\x00 now", "negative"),
        ("It wasn\u0092t open", "negative"),
        ("a cafÃ© by the sea", "positive"),
    ]
    control, broken = of(report(labelled(rows), "classification"), "characters")
    assert control.count == 1 and broken.count == 2
    assert "\\x1b[31m" in control.meaning and "\x1b" not in control.meaning + broken.meaning
    assert control.data["fix_key"] == "remove_control_characters"


def test_emoji_sequences_and_accents_are_no_broken_characters() -> None:
    rows = [
        *reviews(60),
        ("👨\u200d👩\u200d👧 had a great day\nand came back\tlater", "positive"),
        ("naïve façade, 2 € “ok”", "negative"),
    ]
    assert one(report(labelled(rows), "classification"), "characters").severity is Severity.GOOD


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Mail me at jane.doe@example.com", "email"),
        ("Call +41 44 668 18 00 today", "phone"),
        ("Call (212) 555-0142", "phone"),
        ("please call 09061701461 now", "phone"),
        ("SSN 078-05-1120", "ssn"),
        ("Card 4111 1111 1111 1111 exp 12/29", "card"),
        ("IBAN DE89 3704 0044 0532 0130 00", "iban"),
        ("my account GB82WEST12345698765432 please", "iban"),
        ("from 203.0.113.7", "ip"),
        ("host 2001:db8::1", "ip"),
        ("key sk-test_51Nq00000000000000000000", "key"),
        ("I live at 12 High Street", "address"),
        ("Wohnhaft Lindenstraße 14", "address"),
        ("Born 1984-03-12 in Bern", "birth"),
    ],
)
def test_personal_data_is_found(text: str, kind: str) -> None:
    assert kind in find_all(text)


@pytest.mark.parametrize(
    "text",
    [
        "order 4111111111111112 is not a card",
        "cancel purchase 113542617735902",
        "order 00004587345 please",
        "meet at 12:30:45 on 2024-05-06",
        "version 1.2.3 of std::vector and a::b",
        "the 5 best streets of Rome, 10 out of 10",
        "total 1,234,567.89 in 1999-2004",
        "DE00 3704 0044 0532 0130 00",
        "@anna 3 tickets left",
        "localhost 127.0.0.1",
        "call me at 5",
    ],
)
def test_other_numbers_are_no_personal_data(text: str) -> None:
    assert find_all(text) == {}


def test_check_digits_are_checked() -> None:
    assert luhn("79927398713") and not luhn("79927398710")
    assert is_card("5500-0000-0000-0004") and not is_card("0000 0000 0000 0000")
    assert is_iban("CH93 0076 2011 6238 5295 7") and not is_iban("CH93 0076 2011 6238 5295 8")


def test_personal_data_is_not_repeated_in_the_report() -> None:
    finding = one(
        report(labelled([*reviews(60), ("write to jane.doe@example.com", "positive")]), "classification"),
        "personal_data",
    )
    assert finding.row_ids == ("r60",) and finding.data["chart"]["kinds"] == {"e-mail addresses": 1}
    assert "jane.doe" not in finding.model_dump_json()


# Shortcuts


def test_a_label_written_in_the_text_is_pointed_at() -> None:
    rows = [(f"{t} [class={y}]", y) for t, y in reviews(200)]
    finding = one(report(labelled(rows), "classification"), "shortcuts", Severity.WARNING)
    assert "The answer is written in the text: 200 of 200" in finding.title and "positive" in finding.data["words"]


def test_one_word_that_decides_alone_is_an_alarm() -> None:
    rows = [(f"{t} zx17" if y == "positive" else t, y) for t, y in reviews(200)]
    finding = one(report(labelled(rows), "classification"), "shortcuts", Severity.WARNING)
    assert "“zx17” means “positive”" in finding.title and finding.count == 200


def test_a_tag_for_each_of_several_labels_is_an_alarm() -> None:
    rows = [(f"{t} #{'abcd'[i % 4]}1", f"topic {i % 4}") for i, (t, _) in enumerate(reviews(400))]
    assert "Single words decide" in one(report(labelled(rows), "classification"), "shortcuts", Severity.WARNING).title


def test_words_of_the_topic_are_no_alarm_but_are_listed() -> None:
    result = report(labelled(reviews(300)), "classification")
    assert one(result, "shortcuts").severity is Severity.GOOD
    words = {w["word"] for w in result.chart("shortcuts")["words"]}
    assert words and words <= set(GOOD_WORDS + BAD_WORDS)


def test_a_keyword_for_some_labels_only_is_no_alarm() -> None:
    rows = [(f"about the invoice {t}" if i % 5 == 0 else t, f"topic {i % 5}") for i, (t, _) in enumerate(reviews(300))]
    assert one(report(labelled(rows), "classification"), "shortcuts").severity is Severity.GOOD


def test_random_labels_are_tied_to_no_word() -> None:
    rng = random.Random(5)
    result = report(labelled((t, rng.choice("ab")) for t, _ in reviews(400)), "classification")
    assert result.chart("shortcuts")["words"] == []


def test_a_word_in_every_row_is_no_shortcut_when_one_label_is_nearly_everything() -> None:
    rows = [(f"Today: {t}", "ham") for t, _ in reviews(295)] + [(f"Today: {t}", "spam") for t, _ in reviews(5, seed=8)]
    assert one(report(labelled(rows), "classification"), "shortcuts").severity is Severity.GOOD


# Conversations


def test_a_clean_set_of_conversations_gets_no_alarm() -> None:
    result = report(chats(answers()), "chat")
    assert [f.title for f in result.of(*BAD)] == []
    assert {f.check for f in result.findings} >= {"answers", "prompts", "duplicates", "languages"}
    assert not of(result, "balance") and not of(result, "shortcuts")


def test_conversations_without_an_answer_are_counted() -> None:
    rows = [*chats(answers()), Example(row_id="q", messages=(Message(role="user", content="Is anyone there today?"),))]
    finding = one(report(rows, "chat"), "answers", Severity.WARNING)
    assert finding.row_ids == ("q",) and finding.data["fix_key"] == "drop_empty"


def test_no_answer_anywhere_means_nothing_can_be_learned() -> None:
    rows = [Example(row_id=str(i), messages=(Message(role="user", content=q),)) for i, (q, _) in enumerate(answers())]
    assert one(report(rows, "chat"), "learnable", Severity.ERROR).title == "No conversation has an answer"


def test_one_question_with_different_answers_is_mentioned() -> None:
    rows = answers()
    result = report(chats([*rows, (rows[0][0].upper(), "A wholly different answer.")]), "chat")
    finding = one(result, "prompts")
    assert finding.severity is Severity.INFO and finding.row_ids == ("r0", "r80")


def test_very_short_answers_and_one_answer_for_everything_are_mentioned() -> None:
    short = report(chats((q, "Yes.") for q, _ in answers()), "chat")
    assert "3 words or fewer" in one(short, "answers").title
    same = report(chats([*answers(), *((q, "I am sorry, I cannot help with that.") for q, _ in answers(30))]), "chat")
    assert "30 different questions get the same answer" in [f.title for f in of(same, "answers")]
