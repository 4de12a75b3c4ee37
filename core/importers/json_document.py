"""JSON: a list of records, a list of texts, or one object that holds its columns or its list of records."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, BinaryIO

from core.data.json_lists import is_conversation, lists_of, records_at, split_path
from core.data.json_values import JsonReader, JsonText, as_record
from core.data.tables import RecordBuilder
from core.data.targets import Target
from core.data.text_encoding import decode_head
from core.schemas.errors import UserError
from core.schemas.findings import Severity
from core.schemas.imports import ImportNote, ImportOptions, JsonList

from ._plugin import Reading
from ._text import TextSource

LINES_NAME = re.compile(r"\.(jsonl|ndjson)$", re.IGNORECASE)
JSON_NAME = re.compile(r"\.json$", re.IGNORECASE)
LIST_OF_RECORDS = re.compile(r'\s*\[\s*\{\s*("|\})')
SPLIT_NAMES = ("train", "training", "validation", "valid", "val", "dev", "test", "eval")
OBJECT = re.compile(r'\s*\{\s*"(?:[^"\\]|\\.)*"\s*:')

FIRST_ITEMS = 50  # of a list: looked at for lists inside its records
LARGEST_OBJECT = 300_000_000


class JsonDocument:
    key = "json"
    title = "JSON"
    order = 20

    def matches(self, head: bytes, filename: str) -> float:
        text = decode_head(head).lstrip("\ufeff")
        if LIST_OF_RECORDS.match(text) or OBJECT.match(text):
            return 0.9
        return 0.85 if JSON_NAME.search(filename) else 0.0

    def read(self, file: BinaryIO, filename: str, options: ImportOptions, target: Target) -> Reading:
        """Raises UserError where the JSON is broken (with line and column), is no table, or has no such list."""
        size = file.seek(0, io.SEEK_END)
        source, reader, builder = TextSource(file, options), JsonReader(), RecordBuilder(target)
        with source.open() as lines:
            text = JsonText(source.blocks(lines))
            is_list = text.peek() == "["
            if not is_list and size > LARGEST_OBJECT:
                raise _too_large(size)
            found = _records(reader.values(text), is_list, filename, options.path)
            complete = True
            for record in found.records:
                if builder.full:
                    complete = False
                    break
                builder.add(record)
            builder.finish()
        if not builder.rows:
            raise UserError("The file has no rows.", "It holds an empty list.", "Choose a file with examples.")
        notes = [*found.notes, *source.notes(), *reader.notes()]
        if builder.cleaned.count:
            notes.append(builder.cleaned.about_control_characters("{cells}"))
        used = options.model_copy(update={"encoding": source.encoding.name})
        return Reading(used, notes, complete, paths=found.paths)


@dataclass
class _Found:
    records: Iterable[dict[str, Any]]
    notes: list[ImportNote] = field(default_factory=list)
    paths: tuple[JsonList, ...] = ()


def _records(values: Iterator[Any], is_list: bool, filename: str, path: str | None) -> _Found:
    """The records of the document: itself, or those of a list inside it."""
    first = list(islice(values, FIRST_ITEMS))
    if is_list or len(first) > 1:
        paths = tuple(found.model_copy(update={"rows": 0}) for found in lists_of(first))
        items: Iterable[Any] = chain(first, values)
        if path:
            names = _known(first, path, paths)
            items = (record for item in items for record in records_at(item, names))
        return _Found(_checked(items), paths=paths)
    if not first or not isinstance(first[0], dict):
        raise _no_table(f"It is {_kind(first[0])}." if first else "It is empty.")
    document, paths = first[0], lists_of(first[0])
    if path:
        return _Found(_checked(records_at(document, _known(document, path, paths))), paths=paths)
    if path == "":
        return _Found([document], paths=paths)
    records, notes = _inside(document, paths, is_record=LINES_NAME.search(filename) is not None)
    return _Found(records, notes, paths if len(paths) > 1 else ())


def _known(document: Any, path: str, paths: tuple[JsonList, ...]) -> tuple[str, ...]:
    if path not in [found.path for found in paths]:
        raise UserError(
            "The JSON file has no such list.",
            f"There is no list of records at “{path[:80]}”.",
            f"Choose one of: {', '.join(found.path for found in paths[:10])}."
            if paths
            else "Leave the path on automatic.",
        )
    return split_path(document, path)


def _checked(values: Iterable[Any]) -> Iterator[dict[str, Any]]:
    for place, value in enumerate(values, start=1):
        record = as_record(value)
        if record is None:
            raise _no_table(f"Its item {place:,} is {_kind(value)}, not a record.")
        yield record


def _inside(
    document: dict[str, Any], paths: tuple[JsonList, ...], is_record: bool
) -> tuple[Iterable[dict[str, Any]], list[ImportNote]]:
    """`is_record`: the name says that each line is a record, so an object without a table in it is one row."""
    columns = _columns(document)
    if columns is not None:
        return columns, [
            ImportNote(
                severity=Severity.INFO,
                title="The table was stored column by column.",
                meaning="Each name holds all values of one column; they were put together into rows.",
            )
        ]
    lists = {
        key: value
        for key, value in document.items()
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value[:100])
    }
    if any(is_conversation(items) for items in lists.values()) or (is_record and not lists):
        return [document], []
    if not lists and not paths:
        raise _no_table("It is one object without a list of records or columns of equal length.")
    if not lists:
        records = records_at(document, split_path(document, paths[0].path))
        names = f"“{paths[0].path[:80]}”"
    elif len(lists) == 1:
        names = f"“{next(iter(lists))[:40]}”"
        records = iter(next(iter(lists.values())))
        if all("row" in record and isinstance(record["row"], dict) for record in next(iter(lists.values()))):
            records = (record["row"] for record in next(iter(lists.values())))  # as data set servers hand rows out
    else:
        names = ", ".join(f"“{key[:40]}”" for key in list(lists)[:6])
        column = "split" if all(key.lower() in SPLIT_NAMES for key in lists) else "list"
        records = ({column: key, **record} for key, items in lists.items() for record in items)
    return _checked(records), [
        ImportNote(
            severity=Severity.INFO,
            title=f"The rows were read from {names}.",
            meaning="The file is one object that holds lists of records."
            + (" A column says which list a row comes from." if len(lists) > 1 else "")
            + (" Another list can be chosen below." if len(paths) > 1 else ""),
        )
    ]


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


def _too_large(size: int) -> UserError:
    return UserError(
        "The JSON file is too large to be read as one object.",
        f"It holds {size / 1e6:,.0f} MB in a single object, which has to be in memory as a whole; the limit is "
        f"{LARGEST_OBJECT / 1e6:,.0f} MB.",
        "Export the examples as a list of records or as JSON Lines, one record a line: those may be larger.",
    )


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
