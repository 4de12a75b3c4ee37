"""Fixes of a dataset: previewed, applied to a new table, counted; row ids survive and the old table is untouched."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from core.data import fixes
from core.data.health import report
from core.schemas.errors import UserError
from core.schemas.examples import Example

ROLES = {"text": "message", "label": "team"}
CHAT = {"prompt": "q", "response": "a", "system": "s"}
FIXES = fixes.registry()


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


@pytest.mark.parametrize("key", list(FIXES))
def test_every_fix_leaves_a_clean_table_as_it_is(key: str) -> None:
    before = table([("The parcel is late", "shipping"), ("I want my money back", "billing"), ("Hello there", "other")])
    after, count = fixes.apply(key, before, ROLES)
    assert count == 0 and fixes.preview(key, before, ROLES).row_ids == ()
    pd.testing.assert_frame_equal(after, before)


LONG = "The parcel came late again. " * 90
FLAWED: list[tuple[str | None, str | None]] = [
    (" late\x00parcel ", "Shipping"), ("late", "shipping"), ("late", "shipping"), ("late", "billing"), (None, "x"),
    ("<b>Write</b> to me at anna@example.com", "shipping"), (LONG, "billing"),
    ("my order from last week has not arrived at all", "other"), ("my order from last week has not arrived at all!", "other"),
]  # fmt: skip
OPTIONS: dict[str, dict[str, object]] = {
    "drop_rows": {"rows": ["f-1", "gone"]},
    "relabel": {"labels": {"f-3": "shipping", "gone": "x"}},
    "merge_label_sets": {"mapping": {"Shipping": "shipping"}},
}
OTHER_ROLES = {"merge_label_sets": {"text": "message", "labels:;": "team"}}


@pytest.mark.parametrize("options", [{}, {"how": "chunk"}], ids=["default", "chunk"])
@pytest.mark.parametrize("key", list(FIXES))
def test_every_fix_changes_what_its_preview_counts_and_never_the_table_it_was_given(key: str, options: dict) -> None:
    options = {**OPTIONS.get(key, {}), **(options if key == "shorten_texts" else {})}
    before, roles = table(FLAWED), OTHER_ROLES.get(key, ROLES)
    kept = before.copy(deep=True)
    preview = fixes.preview(key, before, roles, options)
    after, count = fixes.apply(key, before, roles, options)
    pd.testing.assert_frame_equal(before, kept)
    assert count == len(preview.row_ids) > 0
    assert (len(before), len(after)) == (preview.rows_before, preview.rows_after)
    assert preview.rows_changed + preview.rows_dropped + preview.rows_cut == count
    origin = [row.split(".")[0] for row in after["row_id"]]
    assert set(origin) <= set(before["row_id"]) and origin == sorted(origin) and after["row_id"].is_unique
    assert fixes.preview(key, after, roles, options).row_ids == ()  # nothing is left to mend
    notes = before.set_index("row_id")["note"]
    assert list(after["note"]) == [notes[row] for row in origin]


@pytest.mark.parametrize("fix", FIXES.values(), ids=lambda fix: fix.key)
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
    shown = fixes.preview("merge_labels", before, ROLES, {"mapping": {"Pos": "positive"}}).edits
    assert [(e.row_id, e.before, e.after) for e in shown] == [("f-0", "Pos", "positive")]


def test_a_mapping_of_labels_without_spaces_also_mends_those_with_spaces() -> None:
    before = table([("one", " Pos"), ("two", "positive "), ("three", "Pos"), ("four", " other")])
    after, _ = fixes.apply("merge_labels", before, ROLES, {"mapping": {"Pos": "positive"}})
    assert after["team"].tolist() == ["positive", "positive", "positive", " other"]


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
    assert applied >= {
        "drop_empty", "drop_duplicates", "merge_labels", "drop_contradictions", "strip_whitespace", "remove_control_characters",
    }  # fmt: skip


def _report(frame: pd.DataFrame):  # type: ignore[no-untyped-def]
    rows = [
        (r["row_id"], r["message"], r["team"]) for r in frame.astype(object).where(frame.notna(), "").to_dict("records")
    ]
    examples = [Example(row_id=i, text=t, label=y) for i, t, y in rows if t.strip() and y.strip()]
    return report(examples, "classification", [i for i, t, y in rows if not (t.strip() and y.strip())])


# -- personal data -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Write to anna.k@example.co.uk, please.", "Write to [email], please."),
        ("Card 4111 1111 1111 1111 is mine", "Card [card] is mine"),
        ("Order 4111 1111 1111 1112 is late", "Order 4111 1111 1111 1112 is late"),  # Luhn says that it is no card
        ("Pay to DE89 3704 0044 0532 0130 00 THANKS", "Pay to [iban] THANKS"),
        ("Pay to DE88 3704 0044 0532 0130 00", "Pay to DE88 3704 0044 0532 0130 00"),  # the remainder is wrong
        ("Call 07123456789 or +44 20 7946 0958.", "Call [phone] or [phone]."),
        ("It ran on 192.168.10.12 in version 1.2.3", "It ran on [ip] in version 1.2.3"),
        ("a@example.com and b@example.com", "[email] and [email]"),
    ],
)
def test_personal_data_is_replaced_by_its_kind_and_other_numbers_stay(text: str, masked: str) -> None:
    assert fixes.apply("mask_personal_data", table([(text, "x")]), ROLES)[0]["message"][0] == masked


def test_only_the_chosen_kinds_are_replaced() -> None:
    before = table([("anna@example.com on 192.168.10.12", "anna@example.com")])
    after, _ = fixes.apply("mask_personal_data", before, ROLES, {"kinds": ["ip"], "words": "removed"})
    assert after["message"][0] == "anna@example.com on [removed]" and after["team"][0] == "anna@example.com"
    with pytest.raises(UserError, match="cannot be used"):
        fixes.preview("mask_personal_data", before, ROLES, {"kinds": ["names"]})


def test_what_the_report_calls_personal_data_is_gone_afterwards(shared_data: Path) -> None:
    frame = pd.read_csv(shared_data / "nasty" / "row_pii.csv", dtype=str)
    rows = table(list(zip(frame["text"], frame["label"], strict=True)))
    assert [f.count for f in _report(rows).findings if f.check == "personal_data"] != [0]
    after, _ = fixes.apply("mask_personal_data", rows, ROLES)
    assert [f.count for f in _report(after).findings if f.check == "personal_data"] == [0]


# -- near copies -------------------------------------------------------------------------------------------------------

ALIKE = "my order from last week has not arrived at all"


def test_of_near_copies_the_first_or_the_longest_stays_and_another_label_is_no_copy() -> None:
    before = table([(ALIKE, "x"), (f"{ALIKE} yet", "x"), (f"{ALIKE}!", "y"), ("something else entirely", "x")])
    first, _ = fixes.apply("drop_near_duplicates", before, ROLES)
    assert list(first["row_id"]) == ["f-0", "f-2", "f-3"]
    longest, _ = fixes.apply("drop_near_duplicates", before, ROLES, {"keep": "longest"})
    assert list(longest["row_id"]) == ["f-1", "f-2", "f-3"]


def test_texts_that_differ_in_their_numbers_stay_unless_numbers_do_not_matter() -> None:
    before = table([(f"{ALIKE}, number {n}", "x") for n in (10443, 20555, 31667)])
    assert fixes.apply("drop_near_duplicates", before, ROLES)[1] == 0
    assert fixes.apply("drop_near_duplicates", before, ROLES, {"numbers_differ": True})[1] == 2


def test_a_lower_threshold_removes_more() -> None:
    chosen = random.Random(1)
    rows = [(" ".join(chosen.sample(ALIKE.split(), 10)) + " " + ALIKE[:n], "x") for n in range(5, 45, 4)]
    counts = [
        fixes.apply("drop_near_duplicates", table(rows), ROLES, {"threshold": t, "numbers_differ": True})[1]
        for t in (0.95, 0.8, 0.5)
    ]
    assert counts == sorted(counts) and counts[0] < counts[-1]


def test_a_hundred_variations_of_one_sentence_leave_one() -> None:
    rows = [(f"{ALIKE} and I am {'very ' * (n % 10)}{'so ' * (n // 10)}cross", "x") for n in range(100)]
    after, _ = fixes.apply("drop_near_duplicates", table(rows), ROLES, {"threshold": 0.5})
    assert fixes.apply("drop_near_duplicates", after, ROLES, {"threshold": 0.5})[1] == 0 and len(after) < 5


# -- markup ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("<p>One &amp; two</p><p>three</p>", "One & two\n\nthree"),
        ("A<br/>B <script>alert('x < y')</script>C", "A\nB C"),
        ("a < b and c > d, I <3 you, dear <name>", "a < b and c > d, I <3 you, dear <name>"),
        (
            "## Title\n\n**Bold** and *soft*, see [the page](https://x.org/a_b).",
            "Title\n\nBold and soft, see the page.",
        ),
        ("snake_case_name and 2*3*4 and a * b * c", "snake_case_name and 2*3*4 and a * b * c"),
        ("Run `ls -l`:\n```sh\nls -l\n```\n- one\n- two", "Run ls -l:\nls -l\n- one\n- two"),
        ("&lt;b&gt;hidden&lt;/b&gt; and __this__", "hidden and this"),
        ("Fish &chips; and AT&T", "Fish &chips; and AT&T"),
        ("  two  spaces stay where nothing else changes ", "  two  spaces stay where nothing else changes "),
    ],
)
def test_markup_goes_and_words_stay(text: str, plain: str) -> None:
    assert fixes.apply("strip_markup", table([(text, "x")]), ROLES)[0]["message"][0] == plain


def test_addresses_go_only_where_asked() -> None:
    before = table([("See https://example.com/a?b=1, it is **good**.", "x")])
    assert fixes.apply("strip_markup", before, ROLES)[0]["message"][0] == "See https://example.com/a?b=1, it is good."
    after, _ = fixes.apply("strip_markup", before, ROLES, {"addresses": True, "markdown": False})
    assert after["message"][0] == "See , it is **good**."


def test_a_cell_of_two_hundred_thousand_signs_is_read_in_linear_time() -> None:
    """Signs that open something again and again: with one careless pattern this takes minutes."""
    units = [
        "<",
        "<a ",
        "*",
        "**a",
        "_",
        "[",
        "[](",
        "`",
        "&",
        "<!--",
        "a@",
        "1 ",
        "(",
        "~~",
        "\u0301",
        "<script>",
        "> ",
        "# ",
    ]
    before = table([(unit * (100_000 // len(unit)), "x") for unit in units])
    for key in ("strip_markup", "mask_personal_data", "shorten_texts", "remove_control_characters"):
        fixes.preview(key, before, ROLES)


# -- long texts --------------------------------------------------------------------------------------------------------


def test_a_long_text_is_cut_at_the_end_of_a_sentence() -> None:
    before = table([("One sentence is here. " * 10, "x"), ("short", "x")])
    after, count = fixes.apply("shorten_texts", before, ROLES, {"most": 100})
    assert after["message"].tolist() == ["One sentence is here. " * 3 + "One sentence is here.", "short"] and count == 1


def test_without_a_sentence_end_the_cut_is_between_words_and_never_inside_a_letter() -> None:
    words, emoji = "word " * 40, "e\u0301👩\u200d🚒" * 30
    after, _ = fixes.apply("shorten_texts", table([(words, "x"), (emoji, "x")]), ROLES, {"most": 52})
    assert after["message"][0].endswith("word") and len(after["message"][0]) <= 52
    assert after["message"][1] in {emoji[:n] for n in range(26, 53)} and after["message"][1][-1] in "\u0301🚒"


def test_a_long_text_becomes_several_rows_that_name_the_row_they_come_from() -> None:
    text = " ".join(f"Sentence {n} is here." for n in range(12))
    before = table([("first", "a"), (text, "b"), ("last", "c")])
    preview = fixes.preview("shorten_texts", before, ROLES, {"most": 100, "how": "chunk"})
    after, count = fixes.apply("shorten_texts", before, ROLES, {"most": 100, "how": "chunk"})
    assert list(after["row_id"]) == ["f-0", "f-1.1", "f-1.2", "f-1.3", "f-2"] and count == 1 and preview.rows_after == 5
    assert list(after["team"]) == ["a", "b", "b", "b", "c"]
    assert list(after[fixes.CHUNK_OF].fillna("-")) == ["-", "f-1", "f-1", "f-1", "-"]
    assert " ".join(after["message"][1:4]) == text and max(map(len, after["message"])) <= 100
    again, _ = fixes.apply("shorten_texts", after, ROLES, {"most": 50, "how": "chunk"})
    assert set(again[fixes.CHUNK_OF].dropna()) == {"f-1"}  # pieces of pieces belong to the first row of all
    assert again["row_id"].is_unique


# -- rows that a person chose ------------------------------------------------------------------------------------------


def test_dropped_and_relabelled_rows_are_one_change_and_a_dropped_row_needs_no_label() -> None:
    before = table([("one", "a"), ("two", "a"), ("three", "b")])
    steps = [("drop_rows", {"rows": ["f-0"]}), ("relabel", {"labels": {"f-0": "b", "f-1": "b", "f-2": "b"}})]
    seen = fixes.preview_steps(steps, before, ROLES)
    after, change = fixes.apply_steps(steps, before, ROLES)
    assert (seen.rows_dropped, seen.rows_changed, seen.rows_after) == (1, 1, 2)
    assert list(after["team"]) == ["b", "b"] and change.row_ids == ("f-0", "f-1")
    assert [(r.row_id, r.what) for r in seen.rows] == [("f-0", "dropped"), ("f-1", "changed")]


def test_a_preview_shows_rows_of_every_label_sorted_by_label() -> None:
    before = table([(f" spaces {n} ", "common") for n in range(300)] + [(" rare ", "a rare one")])
    seen = fixes.preview("strip_whitespace", before, ROLES)
    assert len(seen.rows) == 200 and seen.rows[0].label == "a rare one" and len(seen.edits) == 20
    assert [r.label for r in seen.rows] == sorted(r.label for r in seen.rows)


def test_a_sample_of_a_large_table_says_what_it_looked_at() -> None:
    before = table([(f" spaces {n} " if n % 2 else f"none {n}", "x") for n in range(1001)])
    seen = fixes.preview("strip_whitespace", before, ROLES, sample=100)
    assert seen.sampled and seen.looked_at == 91 and 40 <= seen.rows_changed <= 51 and seen.rows_before == 1001


def test_a_new_fix_is_one_new_file(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[1]
    shutil.copytree(root / "core", tmp_path / "core")
    (tmp_path / "core" / "data" / "fixes" / "shout.py").write_text(
        "from ._common import rewrite_texts\n"
        "from ._fix import Fix\n"
        "PLUGIN = Fix('shout', 'Shout', 'Shouts.', lambda table, roles, options: rewrite_texts(table, roles, str.upper))\n"
    )
    code = (
        "import pandas as pd; from core.data import fixes; table = pd.DataFrame({'row_id': ['a'], 't': ['hey']}); "
        "print(fixes.apply('shout', table, {'text': 't'})[0]['t'][0])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "HEY", done.stderr
