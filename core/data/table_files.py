"""Write a table row by row, or part by part, as CSV, Excel, JSON lines or Parquet: never more than one part is in memory."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, BinaryIO, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from core.schemas.errors import UserError

from .predicted import Columns, cell, like_a_formula

EXCEL_ROWS, EXCEL_COLUMNS, EXCEL_CHARACTERS = 1_048_576, 16_384, 32_767


class TableFile(Protocol):
    """`protected` counts cells with an apostrophe in front, `shortened` cells that the format has no room for."""

    protected: int
    shortened: int

    def write(self, own: Any, part: pa.Table) -> None:
        """Some rows as the file has them (a table of text, or what the source of this format gives), and what was said."""
        ...

    def close(self) -> None: ...


class CsvFile:
    """Cells as they were read, in the encoding and with the separator of the file that was given.

    Raises UnicodeEncodeError where a letter has no place in the encoding.
    """

    def __init__(
        self, stream: BinaryIO, own: Sequence[str], columns: Columns, encoding: str, separator: str, protect: bool
    ) -> None:
        self.protected = self.shortened = 0
        self._columns, self._protect = columns, protect
        self._text = io.TextIOWrapper(stream, encoding, newline="", write_through=False)
        self._csv = csv.writer(self._text, delimiter=separator, lineterminator="\r\n")
        self._row([*own, *columns.order])

    def write(self, own: pa.Table, part: pa.Table) -> None:
        cells = zip(*(column.to_pylist() for column in own.columns), strict=True)
        for row, new in zip(cells, self._columns.rows(part), strict=True):
            self._row([*(c or "" for c in row), *(cell(value) for value in new.values())])

    def _row(self, cells: list[str]) -> None:
        if self._protect:
            for i, text in enumerate(cells):
                if text and like_a_formula(text):
                    cells[i] = f"'{text}"
                    self.protected += 1
        self._csv.writerow(cells)

    def close(self) -> None:
        self._text.flush()
        self._text.detach()


class ExcelFile:
    """One sheet. What is text stays text, so that nothing is taken for a formula and no zero in front is lost."""

    def __init__(self, stream: BinaryIO, own: Sequence[str], columns: Columns, numeric: Sequence[str]) -> None:
        from openpyxl import Workbook
        from openpyxl.cell import WriteOnlyCell

        self.protected = self.shortened = 0
        self._stream, self._columns, self._cell = stream, columns, WriteOnlyCell
        self._numeric = [name in set(numeric) for name in own]
        self._book = Workbook(write_only=True)
        self._book.properties.created = datetime(1980, 1, 1, tzinfo=UTC).replace(tzinfo=None)
        self._sheet = self._book.create_sheet("Predictions")
        self._sheet.freeze_panes = "A2"
        self._sheet.append([self._text(name) for name in (*own, *columns.order)])

    def write(self, own: pa.Table, part: pa.Table) -> None:
        cells = zip(*(column.to_pylist() for column in own.columns), strict=True)
        for row, new in zip(cells, self._columns.rows(part), strict=True):
            mine = [self._own(c, is_number) for c, is_number in zip(row, self._numeric, strict=True)]
            said = [v if isinstance(v, float) else self._text(cell(v)) for v in new.values()]
            self._sheet.append([*mine, *said])

    def _own(self, text: str | None, numeric: bool) -> Any:
        number = _as_number(text) if numeric and text else None
        return self._text(text) if number is None else number

    def _text(self, text: str | None) -> Any:
        if not text:
            return None
        if len(text) > EXCEL_CHARACTERS:
            self.shortened += 1
            text = text[: EXCEL_CHARACTERS - 1] + "…"
        made = self._cell(self._sheet, text)
        made.data_type = "s"  # also what begins with "="
        return made

    def close(self) -> None:
        self._book.save(self._stream)


def _as_number(text: str) -> int | float | None:
    """The number, where writing it gives the very same text again."""
    if len(text) > 15 or not text.lstrip("-")[:1].isdigit():
        return None
    try:
        number: int | float = int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError:
        return None
    return number if str(number) == text else None


class JsonLinesFile:
    """One object a line. Rows of a table are objects of text; what JSON lines gave keeps its types."""

    def __init__(self, stream: BinaryIO, own: Sequence[str], columns: Columns) -> None:
        self.protected = self.shortened = 0
        self._stream, self._columns = stream, columns

    def write(self, own: pa.Table | list[dict[str, Any]], part: pa.Table) -> None:
        rows = own if isinstance(own, list) else own.to_pylist()
        for row, new in zip(rows, self._columns.rows(part), strict=True):
            self._stream.write(json.dumps({**row, **new}, ensure_ascii=False, allow_nan=False).encode() + b"\n")

    def close(self) -> None:
        pass


class ParquetFile:
    def __init__(self, stream: BinaryIO, own: Sequence[str], columns: Columns) -> None:
        self.protected = self.shortened = 0
        self._stream, self._columns = stream, columns
        self._writer: pq.ParquetWriter | None = None

    def write(self, own: pa.Table, part: pa.Table) -> None:
        new = self._columns.table(part)
        whole = own
        for name in new.column_names:
            whole = whole.append_column(new.field(name), new.column(name))
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._stream, whole.schema)
        self._writer.write_table(whole)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def refuse_too_large(rows: int, columns: int) -> None:
    """Raise UserError where a sheet of Excel has no room for the table."""
    if rows + 1 > EXCEL_ROWS or columns > EXCEL_COLUMNS:
        raise UserError(
            "The table is too large for Excel.",
            f"A sheet holds {EXCEL_ROWS:,} rows and {EXCEL_COLUMNS:,} columns; this table has {rows + 1:,} and {columns:,}.",
            "Choose CSV, JSON lines or Parquet, or split the file.",
        )


def windows(path: Any, size: int, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """The rows of a Parquet file in tables of exactly `size` rows (the last may be shorter)."""
    held: list[pa.Table] = []
    rows = 0
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=size, columns=list(columns) if columns is not None else None):
            held.append(pa.Table.from_batches([batch]))
            rows += batch.num_rows
            while rows >= size:
                whole = pa.concat_tables(held)
                yield whole.slice(0, size).combine_chunks()
                held, rows = [whole.slice(size)], rows - size
        if rows:
            yield pa.concat_tables(held).combine_chunks()
