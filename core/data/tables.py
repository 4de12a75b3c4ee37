"""Build a clean Arrow table of strings from rows of any origin: distinct names, no control characters, gaps null.

Whatever the format, the result is the same: every column is a string column, a cell is exactly what was written
("0007" stays, 1 does not become 1.0), and a cell where nothing was written is null.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from core.schemas.errors import UserError
from core.schemas.findings import Severity
from core.schemas.imports import LINE_NUMBERS_KEPT, ImportLimits, ImportNote

from .targets import Target

PIECE_ROWS = 50_000
PIECE_CELLS = 2_000_000
PIECE_CHARACTERS = 16_000_000
MOST_COLUMNS = ImportLimits().max_columns
NAME_CHARACTERS = 120
ANSI_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
UNWANTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
WINDOWS_1252 = {code: bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}
SURROGATE = re.compile(r"[\ud800-\udfff]")


def without_control(text: str) -> str:
    """The text without control characters and terminal colour codes. Tabs and line ends stay.

    U+0080 to U+009F become the signs that Windows-1252 has there, as in web browsers: a text with them was converted
    wrongly once, and U+0092 was an apostrophe.
    """
    if not UNWANTED.search(text):
        return text
    return CONTROL.sub("", ANSI_ESCAPE.sub("", text)).translate(WINDOWS_1252)


def printable(text: str) -> str:
    """The text fit for any table: no control characters, no halves of surrogate pairs (they are no characters)."""
    if text.isprintable():
        return text
    return SURROGATE.sub("\ufffd", without_control(text))


def piece_rows(columns: int) -> int:
    """How many rows of so many columns are held at a time."""
    return max(1, min(PIECE_ROWS, PIECE_CELLS // max(columns, 1)))


def distinct_names(cells: Sequence[str | None], most: int = MOST_COLUMNS) -> list[str]:
    """Column names: an unnamed column is named by its place, a repeated name gets a number.

    `["text", "", "label", "label"]` becomes `["text", "column 2", "label", "label (2)"]`.
    """
    if len(cells) > most:
        raise too_many_columns(len(cells), most)
    taken: set[str] = set()
    names = []
    for place, cell in enumerate(cells, start=1):
        wanted = " ".join(printable(cell or "").split())[:NAME_CHARACTERS] or f"column {place}"
        name, copy = wanted, 1
        while name in taken:
            copy += 1
            name = f"{wanted} ({copy})"
        taken.add(name)
        names.append(name)
    return names


def too_many_columns(columns: int, most: int) -> UserError:
    return UserError(
        "The table has too many columns.",
        f"It has {columns:,}; the limit is {most:,}. A wrong separator can be the reason.",
        "Check the separator, or keep only the columns with the texts and the answers.",
    )


class TableBuilder:
    """Turns rows of cells into Arrow piece by piece and hands each to the target, so that one piece is held at a time."""

    def __init__(self, names: Sequence[str], target: Target) -> None:
        self.names = list(names)
        self.rows = 0
        self.has_gaps = False
        self._target = target
        self._most = piece_rows(len(self.names))
        self._piece: list[Sequence[str | None]] = []
        self._characters = 0

    @property
    def full(self) -> bool:
        """Whether all rows that are wanted are there."""
        return self._target.full(self.rows)

    def add(self, cells: Sequence[str | None]) -> None:
        """One row with exactly one cell for each column; an empty string counts as nothing written."""
        self._piece.append(cells)
        self.rows += 1
        self._characters += sum([len(cell) for cell in cells if cell])
        if len(self._piece) >= self._most or self._characters >= PIECE_CHARACTERS:
            self.finish()

    def finish(self) -> None:
        """Hand over what is left."""
        if self._piece:
            columns = [
                pa.array([cell or None for cell in column], pa.string()) for column in zip(*self._piece, strict=True)
            ]
            self.has_gaps = self.has_gaps or any(column.null_count for column in columns)
            self._piece, self._characters = [], 0
            self._target.write(pa.table(columns, names=self.names))


class RecordBuilder:
    """Collects records whose keys come and go. Columns appear in the order in which their keys are first seen."""

    def __init__(self, target: Target) -> None:
        self.rows = 0
        self.cleaned: LineNotes = LineNotes()
        self._target = target
        self._columns: dict[str, list[str | None]] = {}
        self._pending = self._characters = 0

    @property
    def full(self) -> bool:
        """Whether all rows that are wanted are there."""
        return self._target.full(self.rows)

    def add(self, record: dict[str, Any], line: int | None = None) -> None:
        for key, value in record.items():
            column = self._columns.get(key)
            if column is None:
                if len(self._columns) >= self._target.limits.max_columns:
                    raise too_many_columns(len(self._columns) + 1, self._target.limits.max_columns)
                column = self._columns[key] = []
            if len(column) < self._pending:
                column.extend([None] * (self._pending - len(column)))
            cell = cell_text(value)
            clean = printable(cell) if cell else None
            if clean != (cell or None):
                self.cleaned.add(line)
            column.append(clean or None)
            self._characters += len(clean or "")
        self.rows += 1
        self._pending += 1
        if self._pending >= piece_rows(len(self._columns)) or self._characters >= PIECE_CHARACTERS:
            self.finish()

    def finish(self) -> None:
        """Hand over what is left."""
        if self._pending:
            for column in self._columns.values():
                column.extend([None] * (self._pending - len(column)))
            # A name depends only on the names before it, so a column is called the same in every piece.
            names = distinct_names(list(self._columns), self._target.limits.max_columns)
            piece = pa.table([pa.array(column, pa.string()) for column in self._columns.values()], names=names)
            self._columns = {key: [] for key in self._columns}
            self._pending = self._characters = 0
            self._target.write(piece)


class LineNotes:
    """Counts lines and keeps the numbers of the first ones."""

    def __init__(self) -> None:
        self.count = 0
        self._numbers: list[int] = []

    def add(self, line: int | None) -> None:
        if line is not None and self._numbers and self._numbers[-1] == line:
            return
        self.count += 1
        if line is not None and len(self._numbers) < LINE_NUMBERS_KEPT:
            self._numbers.append(line)

    def note(self, severity: Severity, title: str, meaning: str) -> ImportNote:
        """Both texts may hold `{n}`, `{rows}` ("1 row", "3 rows"), `{lines}`, `{cells}`, `{where}` ("line 4", "lines 4
        and 5") and the verbs `{have}`, `{hold}` and `{were}`, which follow the number."""
        one = self.count == 1
        words = {
            "n": f"{self.count:,}",
            "rows": f"{self.count:,} row{'' if one else 's'}",
            "lines": f"{self.count:,} line{'' if one else 's'}",
            "cells": f"{self.count:,} cell{'' if one else 's'}",
            "have": "has" if one else "have",
            "hold": "holds" if one else "hold",
            "were": "was" if one else "were",
            "where": self.where(),
        }
        return ImportNote(
            severity=severity,
            title=title.format(**words),
            meaning=meaning.format(**words),
            line_numbers=tuple(self._numbers),
            count=self.count,
        )

    def about_control_characters(self, unit: str = "{lines}") -> ImportNote:
        """The note for cells that `printable` changed."""
        return self.note(
            Severity.WARNING,
            "Invisible characters were removed or repaired in " + unit + ".",
            "Zero bytes, bells or terminal colours teach a model nothing and were removed; quotation marks and dashes "
            "that an earlier conversion had spoiled were repaired" + (" ({where})." if self._numbers else "."),
        )

    def where(self, most: int = 10) -> str:
        shown = [str(n) for n in self._numbers[:most]]
        if self.count > len(shown):
            return f"lines {', '.join(shown)} and {self.count - len(shown):,} more"
        if len(shown) == 1:
            return f"line {shown[0]}"
        return f"lines {', '.join(shown[:-1])} and {shown[-1]}" if shown else ""


def cell_text(value: Any) -> str | None:
    """A value as it is written in a cell. Lists and records become JSON; whole numbers have no ".0"."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and type(value) is float:
        if math.isnan(value) or math.isinf(value):
            return None
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, (dict, list, tuple)):
        return _json_cell(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        try:
            return bytes(value).decode("utf-8")
        except UnicodeDecodeError:
            return f"(binary, {len(value):,} bytes)"
    return str(value)


def _json_cell(value: Any) -> str:
    """Compact JSON that any reader accepts: NaN and Infinity become null, control characters are left out."""
    try:
        written = json.dumps(value, ensure_ascii=False, default=cell_text, allow_nan=False)
    except ValueError:
        written = json.dumps(_harmless(value), ensure_ascii=False, default=cell_text)
    return json.dumps(_harmless(value), ensure_ascii=False, default=cell_text) if "\\u00" in written else written


def _harmless(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _harmless(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_harmless(item) for item in value]
    return value


def strip_empty_rows(rows: Iterable[tuple[int, Sequence[str]]]) -> Iterable[tuple[int, Sequence[str]]]:
    """The numbered rows without the empty ones at the end; empty rows between others stay."""
    waiting: list[tuple[int, Sequence[str]]] = []
    for row in rows:
        if any(cell.strip() for cell in row[1]):
            yield from waiting
            waiting.clear()
            yield row
        else:
            waiting.append(row)
