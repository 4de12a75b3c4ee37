"""JSON: a list of records, a list of texts, or one object that holds its columns or its list of records."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any, BinaryIO

from core.data.json_values import JsonReader, as_record
from core.data.tables import RecordBuilder
from core.data.text_encoding import decode_head
from core.schemas.errors import UserError
from core.schemas.findings import Severity
from core.schemas.imports import ImportNote, ImportOptions

from ._plugin import Reading
from ._text import TextSource

LINES_NAME = re.compile(r"\.(jsonl|ndjson)$", re.IGNORECASE)
JSON_NAME = re.compile(r"\.json$", re.IGNORECASE)
LIST_OF_RECORDS = re.compile(r'\s*\[\s*\{\s*("|\})')
SPLIT_NAMES = ("train", "training", "validation", "valid", "val", "dev", "test", "eval")
OBJECT = re.compile(r'\s*\{\s*"(?:[^"\\]|\\.)*"\s*:')


class JsonDocument:
    key = "json"
    title = "JSON"
    order = 20

    def matches(self, head: bytes, filename: str) -> float:
        text = decode_head(head).lstrip("\ufeff")
        if LIST_OF_RECORDS.match(text) or OBJECT.match(text):
            return 0.9
        return 0.85 if JSON_NAME.search(filename) else 0.0

    def read(self, file: BinaryIO, filename: str, options: ImportOptions, limit_rows: int | None) -> Reading:
        """Raises UserError where the JSON is broken (with line and column) or is no table."""
        source, reader, builder = TextSource(file, options), JsonReader(), RecordBuilder()
        with source.open() as lines:
            text = "".join(source.clean(lines))
        records, notes = _records(reader.values(text), text, filename)
        complete = True
        for record in records:
            if limit_rows is not None and builder.rows >= limit_rows:
                complete = False
                break
            builder.add(record)
        if not builder.rows:
            raise UserError("The file has no rows.", "It holds an empty list.", "Choose a file with examples.")
        notes += source.notes() + reader.notes()
        if builder.cleaned.count:
            notes.append(builder.cleaned.about_control_characters("{cells}"))
        used = options.model_copy(update={"encoding": source.encoding.name})
        return Reading(builder.finish(), used, notes, complete)


def _records(
    values: Iterator[Any], text: str, filename: str
) -> tuple[Iterable[dict[str, Any]], list[ImportNote]]:
    """The records of the document. One single object may hold them in columns or under one of its keys."""
    first = list(islice(values, 2))
    if len(first) == 1 and not text.lstrip("\ufeff \t\r\n").startswith("["):
        if not isinstance(first[0], dict):
            raise _no_table(f"It is {_kind(first[0])}.")
        return _inside(first[0], is_record=LINES_NAME.search(filename) is not None)
    return _checked(chain(first, values)), []


def _checked(values: Iterable[Any]) -> Iterator[dict[str, Any]]:
    for place, value in enumerate(values, start=1):
        record = as_record(value)
        if record is None:
            raise _no_table(f"Its item {place:,} is {_kind(value)}, not a record.")
        yield record


def _inside(document: dict[str, Any], is_record: bool) -> tuple[Iterable[dict[str, Any]], list[ImportNote]]:
    """`is_record`: the name says that each line is a record, so an object without a table in it is one row."""
    columns = _columns(document)
    if columns is not None:
        return columns, [ImportNote(
            severity=Severity.INFO,
            title="The table was stored column by column.",
            meaning="Each name holds all values of one column; they were put together into rows.",
        )]
    lists = {
        key: value for key, value in document.items()
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value[:100])
    }
    if any(_is_conversation(items) for items in lists.values()) or (is_record and not lists):
        return [document], []
    if not lists:
        raise _no_table("It is one object without a list of records or columns of equal length.")
    names = ", ".join(f"“{key[:40]}”" for key in list(lists)[:6])
    if len(lists) == 1:
        records = next(iter(lists.values()))
        if all("row" in record and isinstance(record["row"], dict) for record in records):
            records = [record["row"] for record in records]  # as data set servers hand rows out
    else:
        column = "split" if all(key.lower() in SPLIT_NAMES for key in lists) else "list"
        records = [{column: key, **record} for key, items in lists.items() for record in items]
    return _checked(records), [ImportNote(
        severity=Severity.INFO,
        title=f"The rows were read from {names}.",
        meaning="The file is one object that holds lists of records."
        + (" A column says which list a row comes from." if len(lists) > 1 else ""),
    )]


def _columns(document: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Rows of `{"text": {"0": …}, …}` or `{"text": […], …}`, or None where the values are no columns."""
    values = list(document.values())
    if values and all(isinstance(value, dict) and value for value in values):
        keys = list(values[0])
        if all(set(value) == set(keys) for value in values) and (len(values) > 1 or all(k.isdigit() for k in keys)):
            return [{name: column[key] for name, column in document.items()} for key in keys]
    if values and all(isinstance(value, list) and value for value in values):
        plain = not any(isinstance(item, (dict, list)) for value in values for item in value[:100])
        if plain and len({len(value) for value in values}) == 1:
            return [dict(zip(document, row, strict=True)) for row in zip(*values, strict=True)]
    return None


def _is_conversation(items: list[dict[str, Any]]) -> bool:
    return all(set(item) >= {"role", "content"} or set(item) >= {"from", "value"} for item in items)


def _no_table(cause: str) -> UserError:
    return UserError(
        "This JSON file is not a table.",
        cause,
        'Export a list of records, such as [{"text": "…", "label": "…"}, …], or one record a line.',
    )


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return "an empty list"
    return "empty (null)" if value is None else f"the single value {str(value)[:40]}"


PLUGIN = JsonDocument()
