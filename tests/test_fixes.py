"""Fixes of a dataset: previewed, applied to a new table, counted; row ids survive and the old table is untouched."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from core.data import fixes
from core.data.health import report
from core.schemas.errors import UserError
from core.schemas.examples import Example

ROLES = {"text": "message", "label": "team"}
CHAT = {"prompt": "q", "response": "a", "system": "s"}


def table(rows: list[tuple[str | None, str | None]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "row_id": [f"f-{i}" for i in range(len(rows))],
            "message": pd.Series([r[0] for r in rows], dtype="string"),
            "team": pd.Series([r[1] for r in rows], dtype="string"),
            "note": [f"note {i}" for i in range(len(rows))],
        }
    )


def chat_table(rows: list[tuple[str | None, str | None]]) -> pd.DataFrame:
    return pd.DataFrame(
        {"row_id": list("abcdefgh"[: len(rows)]), "q": [r[0] for r in rows], "a": [r[1] for r in rows], "s": ""}
    )


@pytest.mark.parametrize("key", list(fixes.FIXES))
def test_every_fix_leaves_a_clean_table_as_it_is(key: str) -> None:
    before = table([("The parcel is late", "shipping"), ("I want my money back", "billing"), ("Hello there", "other")])
    after, count = fixes.apply(key, before, ROLES)
    assert count == 0 and fixes.preview(key, before, ROLES).row_ids == ()
    pd.testing.assert_frame_equal(after, before)


@pytest.mark.parametrize("key", list(fixes.FIXES))
def test_every_fix_changes_what_its_preview_counts_and_never_the_table_it_was_given(key: str) -> None:
    before = table(
        [(" late\x00parcel ", "Shipping"), ("late", "shipping"), ("late", "shipping"), ("late", "billing"), (None, "x")]
    )
    kept = before.copy(deep=True)
    preview = fixes.preview(key, before, ROLES)
    after, count = fixes.apply(key, before, ROLES)
    pd.testing.assert_frame_equal(before, kept)
    assert count == len(preview.row_ids) > 0
    assert (len(before), len(after)) == (preview.rows_before, preview.rows_after)
    assert set(after["row_id"]) <= set(before["row_id"]) and list(after["row_id"]) == sorted(after["row_id"])
    assert fixes.preview(key, after, ROLES).row_ids == ()  # nothing is left to mend
    notes = before.set_index("row_id")["note"]
    assert list(after["note"]) == [notes[row] for row in after["row_id"]]


@pytest.mark.parametrize("fix", fixes.FIXES.values(), ids=lambda fix: fix.key)
def test_every_fix_explains_itself(fix: fixes.Fix) -> None:
    assert fix.title[0].isupper() and fix.description.endswith(".")


def test_empty_rows_are_dropped_whatever_is_missing() -> None:
    before = table([("a text", "x"), (None, "x"), ("  \n", "x"), ("another", None), ("more", " ")])
    after, count = fixes.apply("drop_empty", before, ROLES)
    assert list(after["row_id"]) == ["f-0"] and count == 4


def test_an_optional_column_may_be_empty() -> None:
    after, count = fixes.apply("drop_empty", chat_table([("q1", "a1"), ("q2", None), (None, "a3")]), CHAT)
    assert list(after["row_id"]) == ["a"] and count == 2


def test_rows_that_the_task_cannot_read_are_dropped_with_the_empty_ones() -> None:
    before = pd.DataFrame({"row_id": ["a", "b", "c"], "m": ['{"messages": []}', None, "[]"]})
    after, count = fixes.apply("drop_empty", before, {"messages": "m"}, {"rows": ["a", "gone"]})
    assert list(after["row_id"]) == ["c"] and count == 2


def test_of_copies_the_first_stays_and_another_label_is_no_copy() -> None:
    before = table(
        [("late", "x"), ("late", "x"), ("Late ", "x"), ("late", "y"), ("caf\u00e9", "x"), ("cafe\u0301", "x")]
    )
    assert list(fixes.apply("drop_duplicates", before, ROLES)[0]["row_id"]) == ["f-0", "f-2", "f-3", "f-4"]
    loose = fixes.apply("drop_duplicates", before, ROLES, {"ignore_case_and_spaces": True})[0]
    assert list(loose["row_id"]) == ["f-0", "f-3", "f-4"]


def test_one_question_with_two_answers_is_no_copy() -> None:
    after, count = fixes.apply("drop_duplicates", chat_table([("q", "a"), ("q", "b"), ("q", "a")]), CHAT)
    assert list(after["row_id"]) == ["a", "b"] and count == 1


def test_label_spellings_are_merged_by_the_given_mapping_only() -> None:
    before = table([("one", "Pos"), ("two", "pos"), ("three", "NEG"), ("four", None)])
    after, count = fixes.apply("merge_labels", before, ROLES, {"mapping": {"Pos": "positive", "pos": "positive"}})
    assert after["team"].fillna("-").tolist() == ["positive", "positive", "NEG", "-"] and count == 2
    shown = fixes.preview("merge_labels", before, ROLES, {"mapping": {"Pos": "positive"}}).examples
    assert shown == (("f-0", "Pos", "positive"),)


def test_a_label_cannot_become_blank() -> None:
    with pytest.raises(UserError, match="cannot be empty"):
        fixes.preview("merge_labels", table([("one", "a")]), ROLES, {"mapping": {"a": " "}})


def test_contradicting_rows_go_and_spellings_of_one_label_stay() -> None:
    before = table(
        [("late", "x"), ("LATE", "y"), ("lost", "Shipping"), ("lost", "shipping "), ("ok", "y"), ("late", None)]
    )
    after, count = fixes.apply("drop_contradictions", before, ROLES)
    assert list(after["row_id"]) == ["f-2", "f-3", "f-4", "f-5"] and count == 2


def test_spaces_around_are_stripped_and_spaces_inside_stay() -> None:
    before = table([("\u00a0 two  words\n", " x"), (None, "x")])
    after, count = fixes.apply("strip_whitespace", before, ROLES)
    assert after["message"][0] == "two  words" and after["team"][0] == "x" and count == 1
    assert pd.isna(after["message"][1])


def test_control_characters_go_and_line_breaks_stay() -> None:
    before = table([("has\x00nul \x07bell \x1b[31mred\x1b[0m\nnext\tline 👨\u200d👩", "x")])
    after, _ = fixes.apply("remove_control_characters", before, ROLES)
    assert after["message"][0] == "has nul bell red\nnext\tline 👨\u200d👩"


def test_a_conversation_stays_valid_json_when_it_is_cleaned() -> None:
    turns = [{"role": "user", "content": "a\x00b “ü”"}, {"role": "assistant", "content": "fine"}]
    before = pd.DataFrame({"row_id": ["a", "b"], "m": [json.dumps(turns), json.dumps(turns[1:])]})
    after, count = fixes.apply("remove_control_characters", before, {"messages": "m"})
    assert json.loads(after["m"][0])[0]["content"] == "a b “ü”" and count == 1
    assert after["m"][1] == before["m"][1]


def test_an_unknown_fix_and_one_for_another_task_are_refused_in_words() -> None:
    with pytest.raises(UserError, match="does not exist"):
        fixes.apply("polish", table([]), ROLES)
    with pytest.raises(UserError, match="does not fit"):
        fixes.preview("merge_labels", chat_table([("q", "a")]), CHAT)


def test_each_fix_that_the_report_names_removes_its_finding() -> None:
    texts = [
        f"{a} {b} was {c} today"
        for a in ("my", "our")
        for b in ("bus", "train", "taxi")
        for c in "late full lost new".split()
    ]
    rows: list[tuple[str | None, str | None]] = [(t, ("good", "bad")[i % 2]) for i, t in enumerate(texts * 2)]
    rows += [
        ("ok", "Good "),
        (None, "bad"),
        (f" {texts[0]} ", "good"),
        (texts[1], "good"),
        ("x\x07y", "bad"),
        (" alone ", "good"),
    ]
    current = table(rows)
    applied = set()
    for _ in range(12):
        named = [f.data for f in _report(current).findings if f.data.get("fix_key")]
        if not named:
            break
        applied.add(named[0]["fix_key"])
        current, count = fixes.apply(named[0]["fix_key"], current, ROLES, named[0].get("fix_options"))
        assert count > 0
    assert not [f for f in _report(current).findings if f.data.get("fix_key")]
    assert applied == set(fixes.FIXES)


def _report(frame: pd.DataFrame):  # type: ignore[no-untyped-def]
    rows = [
        (r["row_id"], r["message"], r["team"]) for r in frame.astype(object).where(frame.notna(), "").to_dict("records")
    ]
    examples = [Example(row_id=i, text=t, label=y) for i, t, y in rows if t.strip() and y.strip()]
    return report(examples, "classification", [i for i, t, y in rows if not (t.strip() and y.strip())])
