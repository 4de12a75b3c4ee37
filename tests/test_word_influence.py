"""The words that mattered: what is left out, what is marked, in any script, and how it is drawn."""

from __future__ import annotations

import pytest

from core.data import word_influence as words
from core.ui.word_marks import marks_html


def pieces(text: str, most: int = words.MOST_PIECES) -> list[str]:
    return [text[s.start : s.end] for s in words.spans(text, most)]


def test_a_word_is_left_out_with_its_punctuation_and_nothing_else_changes() -> None:
    text = "I want my  money back, now! – \nPlease."
    assert pieces(text) == ["I", "want", "my", "money", "back,", "now!", "Please."]
    left = words.without_each(text, words.spans(text))
    assert left[0] == "want my  money back, now! – \nPlease." and left[4] == "I want my  money now! – \nPlease."
    assert left[-1] == "I want my  money back, now! –"


@pytest.mark.parametrize(
    ("text", "some"),
    [
        ("我要退款，谢谢", ["我", "要", "退"]),
        ("أريد استرداد المال", ["أريد", "استرداد", "المال"]),
        ("आप कैसे हैं", ["आप", "कैसे", "हैं"]),
    ],
)
def test_scripts_without_spaces_lose_one_character_and_others_one_word(text: str, some: list[str]) -> None:
    assert pieces(text)[:3] == some


def test_a_long_text_costs_no_more_questions_than_allowed() -> None:
    text = " ".join(f"word{n}" for n in range(1000))
    found = words.spans(text, 48)
    assert len(found) == 48
    assert {len(text[s.start : s.end].split()) for s in found} <= {20, 21}
    assert found[0].start == 0 and found[-1].end == len(text), "no word is passed over"
    assert words.spans("", 5) == [] and words.spans("!?", 5) == []


def test_marks_follow_the_change_and_its_direction() -> None:
    text = "refund this nice lamp"
    found = words.marked(text, words.spans(text), 0.9, [0.2, 0.89, 1.0, 0.75])
    by_word = {m.text: (m.side, m.level) for m in found if m.change is not None}
    assert by_word == {"refund": ("for", 3), "this": ("", 0), "nice": ("against", 1), "lamp": ("for", 2)}
    assert "".join(m.text for m in found) == text
    assert [m.text for m in words.strongest(found)] == ["refund", "lamp", "nice"]
    with pytest.raises(ValueError, match="shorter"):
        words.marked(text, words.spans(text), 0.9, [0.2])


def test_a_number_is_measured_against_its_own_range_and_nothing_is_marked_without_one() -> None:
    text = "good bad"
    assert [
        m.level for m in words.marked(text, words.spans(text), 50.0, [10.0, 52.0], 100.0) if m.change is not None
    ] == [3, 0]
    assert not words.strongest(words.marked(text, words.spans(text), 50.0, [10.0, 52.0], 0.0))


def test_the_drawing_escapes_the_text_and_says_by_a_sign_what_a_colour_says() -> None:
    text = "<b>refund</b> me"
    html = marks_html(
        words.marked(text, words.spans(text), 0.9, [0.1, 0.99]),
        lambda c: f"{100 * c:.0f} points",
        "the share of “a<b”",
        "“a<b”",
    )
    assert "<b>refund" not in html and "&lt;b&gt;refund&lt;/b&gt;<sup" in html and "me<sup" in html
    assert ">+</sup>" in html and ">−</sup>" in html and "falls by 80 points" in html and "rises by 9 points" in html
    assert 'dir="rtl"' in marks_html(words.marked("أريد", words.spans("أريد"), 1.0, [0.5]), str, "x", "x")
