"""JSON and JSON Lines: recognised by content, broken parts named by line, numbers as written."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from core.importers import inspect, read
from core.schemas.errors import UserError
from core.schemas.imports import ColumnKind, ImportOptions, ImportReport

ROWS = [{"text": f"The room was clean, number {n}.", "label": "good" if n % 2 else "bad"} for n in range(60)]
LINES = [json.dumps(row) for row in ROWS]


def load(folder: Path, content: str, name: str, limit_rows: int | None = None) -> tuple[pa.Table, ImportReport]:
    path = folder / "upload"
    path.write_text(content, encoding="utf-8")
    return read(path, name, ImportOptions(), limit_rows)


@pytest.mark.parametrize(
    ("content", "format_key"),
    [
        (json.dumps(ROWS), "json"),
        (json.dumps(ROWS, indent=2), "json"),
        ("\n".join(json.dumps(row, indent=1) for row in ROWS), "json"),
        ("\n".join(LINES), "json_lines"),
        (json.dumps({"text": [r["text"] for r in ROWS], "label": [r["label"] for r in ROWS]}), "json"),
        (
            json.dumps({name: {str(n): row[name] for n, row in enumerate(ROWS)} for name in ("text", "label")}),
            "json",
        ),
        (json.dumps({"version": 1, "data": ROWS}), "json"),
        (json.dumps({"rows": [{"row_idx": n, "row": row} for n, row in enumerate(ROWS)]}), "json"),
    ],
    ids=["array", "indented", "one after the other", "lines", "columns", "pandas columns", "under a key", "rows"],
)
@pytest.mark.parametrize("name", ["data.json", "data.jsonl", "data.txt"])
def test_every_usual_arrangement_gives_the_same_rows(tmp_path: Path, content: str, format_key: str, name: str) -> None:
    table, report = load(tmp_path, content, name)
    assert table.to_pylist() == ROWS
    assert report.format == format_key
    assert report.task == "classification"


def test_lists_named_train_and_test_are_all_read_with_their_split(tmp_path: Path) -> None:
    table, _ = load(tmp_path, json.dumps({"train": ROWS[:40], "test": ROWS[40:]}), "data.json")
    assert table.num_rows == 60
    assert table.column("split").to_pylist() == ["train"] * 40 + ["test"] * 20


def test_a_list_of_texts_is_one_column(tmp_path: Path) -> None:
    table, report = load(tmp_path, json.dumps(["One text.", "Another."]), "data.json")
    assert table.to_pylist() == [{"text": "One text."}, {"text": "Another."}]
    assert report.shape == "plain_text"


def test_broken_lines_are_left_out_and_named(tmp_path: Path) -> None:
    comma = '{"text": "trailing comma", "label": "x",}'
    lines = [*LINES[:20], comma, "{broken", "", *LINES[20:40], "{'single': 'quotes'}"]
    table, report = load(tmp_path, "\n".join(lines), "data.jsonl")
    assert table.num_rows == 40
    assert report.notes[0].title == "3 lines could not be read and were left out."
    assert report.notes[0].line_numbers == (21, 22, 44)


def test_nan_and_infinity_become_missing_values(tmp_path: Path) -> None:
    content = '{"text": "a", "label": NaN}\n{"text": "b", "label": -Infinity}\n{"text": "c", "label": "ok"}\n'
    content += '{"text": "d", "label": 1e999}\n{"text": "e", "label": [NaN]}\n'
    table, report = load(tmp_path, content, "x.jsonl")
    assert table.column("label").to_pylist() == [None, None, "ok", None, "[null]"]
    assert report.notes[0].line_numbers == (1, 2, 4, 5)
    json.loads(report.model_dump_json(), parse_constant=lambda literal: pytest.fail(f"{literal} was passed on"))


def test_keys_that_come_and_go_are_missing_values(tmp_path: Path) -> None:
    table, report = load(tmp_path, '{"text": null, "a": 1}\n{"text": "x"}\n{"b": "", "text": "y"}\n', "x.jsonl")
    assert table.to_pylist() == [
        {"text": None, "a": "1", "b": None},
        {"text": "x", "a": None, "b": None},
        {"text": "y", "a": None, "b": None},
    ]
    assert [column.n_missing for column in report.columns] == [1, 2, 3]
    assert report.columns[2].kind is ColumnKind.EMPTY


def test_numbers_keep_their_spelling(tmp_path: Path) -> None:
    table, _ = load(tmp_path, '[{"a": 1.10, "b": 7, "c": true, "d": 1e5, "e": ' + "9" * 5_000 + "}]", "x.json")
    row = table.to_pylist()[0]
    assert row == {"a": "1.10", "b": "7", "c": "true", "d": "1e5", "e": "9" * 5_000}


def test_nested_values_become_json_text(tmp_path: Path) -> None:
    value = {"options": ["ä", 1.5, None], "deep": {"yes": True}}
    table, report = load(tmp_path, json.dumps([{"text": "a", "extra": value}] * 3), "x.json")
    assert json.loads(table.column("extra")[0].as_py()) == value
    assert report.columns[1].kind is ColumnKind.STRUCTURE


def test_control_characters_and_half_characters_in_strings_are_left_out(tmp_path: Path) -> None:
    content = r'{"text": "zero\u0000 bell\u0007 half\ud83d", "list": ["nul\u0000"]}' + '\n{"text": "fine"}\n'
    table, report = load(tmp_path, content, "x.jsonl")
    assert table.column("text")[0].as_py() == "zero bell half\ufffd"
    assert json.loads(table.column("list")[0].as_py()) == ["nul"]
    assert report.notes[0].line_numbers == (1,)


def test_more_rows_than_fit_into_one_chunk_keep_their_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.data.tables.PIECE_ROWS", 7)
    rows = [{"text": str(n), **({"late": "x"} if n > 30 else {})} for n in range(40)]
    table, _ = load(tmp_path, json.dumps(rows), "x.json")
    assert table.column("text").to_pylist() == [str(n) for n in range(40)]
    assert table.column("late").to_pylist() == [None] * 31 + ["x"] * 9


@pytest.mark.parametrize(
    ("content", "title", "cause"),
    [
        ("42", "not a table", "single value 42"),
        ('"text"', "not a table", "not a table"),
        ("null", "not a table", "empty (null)"),
        ("[1, 2]", "not a table", "Its item 1 is the single value 1"),
        ('{"learning_rate": 0.1, "layers": 3}', "not a table", "one object"),
        ("[]", "no rows", "empty list"),
        ('[{"a": 1}, {"a": 2}', "ends too early", "line 1, column 20"),
        ('[{"a": 1},\n {"a" 2}]', "broken", "line 2, column 7"),
        ('[{"a": 1}] trailing', "broken", "line 1"),
        ("[" * 100_000, "nested too deeply", "hundreds"),
        ('{"a":' * 100_000, "nested too deeply", "hundreds"),
        ("not json at all", "broken", "line 1, column 1"),
    ],
)
def test_what_is_no_table_is_refused_with_its_place(tmp_path: Path, content: str, title: str, cause: str) -> None:
    with pytest.raises(UserError) as caught:
        load(tmp_path, content, "x.json")
    assert title in caught.value.title
    assert cause in caught.value.cause or cause in caught.value.title


def test_lines_that_are_mostly_no_records_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not JSON Lines"):
        load(tmp_path, '{"text": "a"}\n' + "plain words\n" * 5, "x.jsonl")


def test_a_quick_look_stops_early(tmp_path: Path) -> None:
    for content, name in ((json.dumps(ROWS), "x.json"), ("\n".join(LINES), "x.jsonl")):
        table, report = load(tmp_path, content, name, limit_rows=5)
        assert table.num_rows == 5 and not report.complete


NESTED = {
    "about": {"version": 1},
    "data": [
        {
            "title": "Rooms",
            "paragraphs": [
                {"context": f"Room {n} is blue.", "qas": [{"question": f"Colour of {n}?", "answer": "blue"}] * 2}
                for n in range(3)
            ],
        }
    ],
    "authors": [{"name": "A"}, {"name": "B"}],
}


def test_the_lists_inside_a_document_are_offered_and_one_can_be_chosen(tmp_path: Path) -> None:
    path = tmp_path / "nested.json"
    path.write_text(json.dumps(NESTED))
    report = inspect(path, "nested.json")
    assert [(found.path, found.rows) for found in report.paths] == [
        ("data.paragraphs.qas", 6), ("data.paragraphs", 3), ("authors", 2), ("data", 1),
    ]  # fmt: skip
    assert report.paths[0].keys == ("question", "answer")
    table, chosen = read(path, "nested.json", ImportOptions(path="data.paragraphs.qas"))
    assert table.num_rows == 6 and chosen.options.path == "data.paragraphs.qas"
    assert table.to_pylist()[2] == {
        "title": "Rooms", "context": "Room 1 is blue.", "question": "Colour of 1?", "answer": "blue",
    }  # fmt: skip
    with pytest.raises(UserError, match="no such list"):
        read(path, "nested.json", ImportOptions(path="data.nothing"))


def test_a_list_deep_inside_is_found_without_help(tmp_path: Path) -> None:
    table, report = load(tmp_path, json.dumps({"result": {"page": 1, "a.b": [{"text": "x"}, {"text": "y"}]}}), "x.json")
    assert table.to_pydict() == {"page": ["1", "1"], "text": ["x", "y"]}
    assert "“result.a.b”" in report.notes[0].title


def test_a_list_inside_the_records_of_a_long_list_can_be_chosen(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps([{"id": n, "turns": [{"text": f"a{n}"}, {"text": f"b{n}"}]} for n in range(500)]))
    assert [found.path for found in inspect(path, "x.json").paths] == ["turns"]
    table, _ = read(path, "x.json", ImportOptions(path="turns"))
    assert table.num_rows == 1000 and table.to_pylist()[999] == {"id": "499", "text": "b499"}


@pytest.mark.parametrize("gap", ["", "\n", " \r\n\t"])
def test_a_list_is_read_in_windows_wherever_they_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gap: str) -> None:
    monkeypatch.setattr("core.importers._text.BLOCK_CHARACTERS", 7)
    records = [{"text": f"Zimmer {n} \U0001f642", "n": n * 1000, "list": [n, {"a": "]"}]} for n in range(40)]
    content = (
        "[" + gap + f",{gap}".join(json.dumps(r, ensure_ascii=n % 2 == 0) for n, r in enumerate(records)) + gap + "]"
    )
    table, _ = load(tmp_path, content, "x.json")
    assert table.column("text").to_pylist() == [r["text"] for r in records]
    assert table.column("n").to_pylist() == [str(r["n"]) for r in records]
    with pytest.raises(UserError, match="ends too early"):
        load(tmp_path, content[:-1], "x.json")
    with pytest.raises(UserError, match="line 1, column 7:" if not gap else "line"):
        load(tmp_path, '[{"a" 1}]', "x.json")


def test_one_object_that_would_not_fit_into_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.importers.json_document.LARGEST_OBJECT", 50)
    with pytest.raises(UserError, match="too large to be read as one object"):
        load(tmp_path, json.dumps(NESTED), "x.json")
    assert load(tmp_path, json.dumps([{"text": "x" * 100}]), "x.json")[0].num_rows == 1
