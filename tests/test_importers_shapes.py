"""What kind of examples a table holds, and which column is suggested for which role."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from core.importers import from_paste, registry, suggest_roles, suggest_task
from core.schemas.imports import ColumnKind, ImportReport

LONG = "This answer explains at some length why the parcel with number {n} has not arrived yet."


def report_of(rows: list[dict[str, Any]]) -> ImportReport:
    return from_paste("\n".join(json.dumps(row) for row in rows))[1]


def turns(n: int, first: str, second: str, role: str, text: str) -> list[dict[str, str]]:
    return [{role: first, text: f"What is {n}+{n}?"}, {role: second, text: f"{2 * n}."}]


OPENAI = [
    {"messages": [{"role": "system", "content": "Add."}] * (n % 2) + turns(n, "user", "assistant", "role", "content")}
    for n in range(40)
]
SHAREGPT = [{"id": f"c{n}", "conversations": turns(n, "human", "gpt", "from", "value")} for n in range(40)]
ALPACA = [{"instruction": f"Say {n}", "input": "loudly" * (n % 2), "output": str(n)} for n in range(40)]
PAIRS = [{"prompt": f"Question {n}?", "completion": LONG.format(n=n)} for n in range(40)]
SYSTEM = [{"system": "Be kind.", "user": f"Question {n}?", "assistant": LONG.format(n=n)} for n in range(40)]
PREFERENCE = [{"prompt": f"q{n}", "chosen": f"good {n}", "rejected": f"bad {n}"} for n in range(40)]
LABELLED = [{"id": n, "text": f"The room was clean, {n}.", "label": "good" if n % 2 else "bad"} for n in range(40)]
PLAIN = [{"text": LONG.format(n=n)} for n in range(40)]


@pytest.mark.parametrize(
    ("rows", "shape", "task", "roles"),
    [
        (OPENAI, "messages", "chat", {"messages": "messages"}),
        (SHAREGPT, "sharegpt", "chat", {"messages": "conversations"}),
        (ALPACA, "alpaca", "chat", {"prompt": "instruction", "context": "input", "response": "output"}),
        (PAIRS, "prompt_completion", "chat", {"prompt": "prompt", "response": "completion"}),
        (SYSTEM, "prompt_completion", "chat", {"prompt": "user", "response": "assistant", "system": "system"}),
        (PREFERENCE, "preference", "preference", {"prompt": "prompt", "chosen": "chosen", "rejected": "rejected"}),
        (LABELLED, "text_label", "classification", {"text": "text", "label": "label"}),
        (PLAIN, "plain_text", "completion", {"text": "text"}),
    ],
    ids=["OpenAI", "ShareGPT", "Alpaca", "pairs", "with system", "preference", "labelled", "plain"],
)
def test_the_usual_shapes_are_recognised(
    rows: list[dict[str, Any]], shape: str, task: str, roles: dict[str, str]
) -> None:
    report = report_of(rows)
    assert report.shape == shape
    assert report.task == task == suggest_task(report)
    assert suggest_roles(report, task) == roles == report.roles[task]


def test_labels_that_are_all_long_and_different_suggest_chat() -> None:
    rows = [{"question": f"Where is parcel {n}?", "label": LONG.format(n=n)} for n in range(60)]
    assert report_of(rows).task == "chat"


def test_unnamed_columns_are_told_apart_by_their_values() -> None:
    text, label = from_paste("\n".join(f"film number {n} moved me deeply\t{n % 2}" for n in range(20)))[1].columns
    assert (text.kind, label.kind) == (ColumnKind.TEXT, ColumnKind.CATEGORY)
    table, _ = from_paste("\n".join(f"{'ham' if n % 3 else 'spam'}\tfilm {n} moved me deeply" for n in range(20)))
    assert suggest_roles(table, "classification") == {"text": "column 2", "label": "column 1"}


def test_the_strongest_of_several_labels_and_the_fullest_of_several_texts_are_suggested() -> None:
    rows = [
        {
            "wording": f"how can I cancel order {n} please",
            "intent": f"intent_{n % 7}",
            "category": f"area_{n % 3}",
            "remark": "a much longer remark that stands in some rows only, on this and that" if n % 10 == 0 else None,
        }
        for n in range(70)
    ]
    assert suggest_roles(report_of(rows), "classification") == {"text": "wording", "label": "intent"}


def test_kinds_of_columns() -> None:
    rows = [
        {
            "id": n, "code": f"{n:04d}", "price": f"{n}.50", "when": f"2024-01-{n % 28 + 1:02d}", "stars": n % 5,
            "note": None, "vector": [n, 1], "colour": "red" if n % 2 else "blue", "story": LONG.format(n=n),
        }
        for n in range(40)
    ]  # fmt: skip
    assert {column.name: str(column.kind) for column in report_of(rows).columns} == {
        "id": "identifier", "code": "identifier", "price": "number", "when": "date", "stars": "category",
        "note": "empty", "vector": "structure", "colour": "category", "story": "text",
    }  # fmt: skip


def test_preference_pairs_say_what_they_lack() -> None:
    half = {"prompt": "q", "chosen": "x"}
    rows = [*PREFERENCE[:30], *[half] * 5, *[{**half, "rejected": "x"}] * 5]
    titles = [note.title for note in report_of(rows).notes]
    assert titles[1:] == ["5 pairs lack one of the two answers.", "5 pairs have the same answer twice."]


def test_conversations_are_counted_with_their_system_prompts() -> None:
    assert report_of(OPENAI).notes[0].title == "40 conversations, 20 with a system prompt."


def test_an_unknown_task_has_no_roles() -> None:
    assert suggest_roles(report_of(LABELLED), "translation") == {}
    assert suggest_roles(pa.table({"x": pa.nulls(3, pa.string())}), "classification") == {}


def test_words_for_missing_values_are_pointed_out_and_kept() -> None:
    table, report = from_paste("text,label\nfine,good\nso so,N/A\nbad,null\n")
    assert table.column("label").to_pylist() == ["good", "N/A", "null"]
    assert report.notes[0].title == "“label” holds a word such as NA, null or none in 2 cells."


def test_every_format_declares_itself() -> None:
    for key, importer in registry().items():
        assert importer.key == key and importer.title and isinstance(importer.order, int)
        assert 0 <= importer.matches(b"text,label\nfine,good\n", "x.csv") <= 1
