"""A text before and after: what went and what came is marked, and nothing from outside becomes markup."""

from __future__ import annotations

import re

import pytest

from core.ui.differences import difference_html, table_html, visible


def test_what_went_and_what_came_is_marked_and_the_rest_stays() -> None:
    html = difference_html("Write to anna@x.org now", "Write to [email] now")
    assert html == "Write to <del>anna@x.org</del><ins>[email]</ins> now"


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "a & b", '"><img src=x>', "</del><b>"])
def test_hostile_texts_are_escaped_wherever_they_stand(text: str) -> None:
    for html in (difference_html(text, "x"), difference_html("x", text), difference_html(text + " a", text + " b")):
        assert set(re.findall(r"<[^>]*>", html)) <= {"<del>", "</del>", "<ins>", "</ins>"}
    assert text not in table_html([(text, text, text, "x")], text)


def test_spaces_and_line_ends_that_go_can_be_seen() -> None:
    assert difference_html("  two", "two") == "<del>␣␣</del>two"
    assert "⏎" in difference_html("a\n\nb", "a b") and "\\x07" in difference_html("a\x07b", "ab")
    assert visible(" x  ") == "␣x␣␣" and visible("   ") == "␣␣␣"


def test_long_texts_are_cut_around_the_change() -> None:
    same = "word " * 4_000
    html = difference_html(f"{same}old {same}", f"{same}new {same}")
    assert "<del>old</del><ins>new</ins>" in html and len(html) < 300 and html.startswith("…")
    assert len(difference_html("a b " * 50_000, "c d " * 50_000)) < 6_000
