"""Text tables: CSV, TSV and the like, with any of the usual separators."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterator
from typing import BinaryIO

from core.data.layout import NUMBER, Layout, detect_layout
from core.data.plain_csv import open_plain
from core.data.records import Record, iter_records
from core.data.tables import LineNotes, TableBuilder, distinct_names
from core.data.targets import Target
from core.data.text_encoding import decode_head
from core.schemas.errors import UserError
from core.schemas.findings import Severity
from core.schemas.imports import ImportNote, ImportOptions

from ._plugin import Reading
from ._text import TextSource

SAMPLE_CHARACTERS = 4_000_000
TABLE_NAME = re.compile(r"\.(csv|tsv|tab|psv)$", re.IGNORECASE)
TOTAL = re.compile(
    r"^(grand |sub-?)?(totals?|sum|summe|gesamt|insgesamt|totale|suma|somme|合计|总计):?$", re.IGNORECASE
)
MANY_RAGGED = 0.2


class Delimited:
    key = "delimited"
    title = "Text table (CSV, TSV)"
    order = 30

    def matches(self, head: bytes, filename: str) -> float:
        if TABLE_NAME.search(filename):
            return 0.8
        text = decode_head(head)
        layout = detect_layout(text, whole=True, given=ImportOptions())
        rows = sum(bool(line.strip()) for line in io.StringIO(text, newline=""))
        enclosed = f'"{layout.separator}' in text or f'{layout.separator}"' in text
        sure = layout.separator != "," or layout.has_header or enclosed
        return 0.7 if layout.width > 1 and layout.consistency >= 0.95 and rows >= 2 and sure else 0.0

    def read(self, file: BinaryIO, filename: str, options: ImportOptions, target: Target) -> Reading:
        """Raises UserError where there are no rows below the column names."""
        source = TextSource(file, options)
        sample, whole = source.sample(SAMPLE_CHARACTERS)
        layout = detect_layout(sample, whole, options)
        names = _rows(io.StringIO(sample, newline=""), layout, target).names
        plain = None
        if target.limit_rows is None and not source.encoding.damaged:
            plain = open_plain(file, source.encoding.name, layout, names)
        if plain is not None and not _is_total(plain.last):
            read, complete, notes = 0, True, list[ImportNote]()
            for piece in plain.pieces():
                read += piece.num_rows
                target.write(piece.rename_columns(names))
        else:
            read, complete, notes = _read_carefully(source, layout, target)
        if not read:
            raise UserError(
                "The file has no rows.",
                f"It holds only column names: {', '.join(names[:8])}."
                if layout.has_header
                else "Nothing is left below the lines that are skipped.",
                "Choose a file with examples below the column names, or say that the first row is an example.",
            )
        used = options.model_copy(
            update={
                "encoding": source.encoding.name,
                "separator": layout.separator,
                "quoting": layout.quoting,
                "has_header": layout.has_header,
                "skip_lines": layout.skip_lines,
            }
        )
        skipped = layout.skip_lines if options.skip_lines is None else 0
        return Reading(used, [*source.notes(), *_skip_notes(skipped), *notes], complete)


def _read_carefully(source: TextSource, layout: Layout, target: Target) -> tuple[int, bool, list[ImportNote]]:
    """How many rows were read, whether these are all, and what was not in order."""
    complete = True
    with source.open() as text:
        rows = _rows(source.clean(text), layout, target)
        builder = TableBuilder(rows.names, target)
        for cells in rows:
            if builder.full:
                complete = False
                break
            builder.add(cells)
        builder.finish()
    return builder.rows, complete, rows.notes(builder.rows)


def _rows(lines: Iterator[str], layout: Layout, target: Target) -> _Rows:
    below = itertools.islice(lines, layout.skip_lines, None)
    records = iter_records(below, layout.separator, layout.quoting, layout.skip_lines + 1)
    return _Rows(records, layout, target.limits.max_columns)


def _is_total(cells: list[str]) -> bool:
    word, *numbers = [cell.strip() for cell in cells if cell.strip()] or [""]
    return bool(numbers and TOTAL.match(word) and all(NUMBER.match(cell) for cell in numbers))


class _Rows:
    """The rows of a table, each with one cell a column, and a record of everything that was not in order."""

    def __init__(self, records: Iterator[Record], layout: Layout, most_columns: int) -> None:
        self._layout = layout
        self._long, self._short, self._broken, self._blank_cells = LineNotes(), LineNotes(), LineNotes(), LineNotes()
        self._total: Record | None = None
        self._total_left_out = False
        self._records = self._filled(records)
        first = next(self._records, None)
        if layout.has_header and first:
            self.names = distinct_names(first.cells, most_columns)
        else:
            self.names = distinct_names([""] * layout.width, most_columns)
            self._records = itertools.chain([first] if first else [], self._records)

    def __iter__(self) -> Iterator[list[str]]:
        width = len(self.names)
        blank: list[Record] = []
        for record in self._records:
            cells = record.cells
            if not cells[0] and not any(cell.strip() for cell in cells):
                blank.append(record)  # empty rows at the end are dropped, others stay
                continue
            for empty in blank:
                self._blank_cells.add(empty.line)
                yield [""] * width
            blank.clear()
            if record.broken:
                self._broken.add(record.line)
            if len(cells) > width:
                if any(cell.strip() for cell in cells[width:]):
                    self._long.add(record.line)
                cells = cells[:width]
            elif len(cells) < width:
                self._short.add(record.line)
                cells = cells + [""] * (width - len(cells))
            yield cells

    def _filled(self, records: Iterator[Record]) -> Iterator[Record]:
        """Records without blank lines, and without a total in the last line."""
        held: Record | None = None
        gap = gap_before_held = False
        for record in records:
            if not record.cells or (len(record.cells) == 1 and not record.cells[0].strip()):
                gap = True
                continue
            if held is not None:
                yield held
            held, gap_before_held, gap = record, gap, False
        if held is None:
            return
        if _is_total(held.cells):
            self._total = held
            self._total_left_out = gap_before_held or len(held.cells) < self._layout.width
        if not self._total_left_out:
            yield held

    def notes(self, rows: int) -> list[ImportNote]:
        notes = []
        ragged = self._long.count + self._short.count
        wrong = (
            " So many uneven rows usually mean a wrong separator, or texts with the separator in them and no quotation "
            "marks around them."
            if ragged > MANY_RAGGED * rows
            else ""
        )
        if self._long.count:
            notes.append(
                self._long.note(
                    Severity.WARNING,
                    "{rows} {have} more cells than there are columns.",
                    "The surplus cells at the end were left out ({where})." + wrong,
                )
            )
        if self._short.count:
            notes.append(
                self._short.note(
                    Severity.WARNING,
                    "{rows} {have} fewer cells than there are columns.",
                    "The missing cells were left empty ({where})." + wrong,
                )
            )
        if self._broken.count:
            notes.append(
                self._broken.note(
                    Severity.WARNING,
                    "{rows} {have} broken quotation marks.",
                    "Quotation marks there do not enclose a cell; the lines were read as they stand ({where}). If "
                    "quotation marks belong to the text everywhere, choose literal.",
                )
            )
        if self._blank_cells.count:
            notes.append(
                self._blank_cells.note(
                    Severity.INFO,
                    "{rows} {have} only empty cells.",
                    "They hold nothing to learn from ({where}).",
                )
            )
        if self._total is not None:
            notes.append(
                ImportNote(
                    severity=Severity.WARNING,
                    title="The last line looks like a total" + (" and was left out." if self._total_left_out else "."),
                    meaning=f"Line {self._total.line} reads: {' | '.join(self._total.cells)[:80]}.",
                    line_numbers=(self._total.line,),
                    count=1,
                )
            )
        return notes


def _skip_notes(lines: int) -> list[ImportNote]:
    if not lines:
        return []
    return [
        ImportNote(
            severity=Severity.INFO,
            title=f"The first {lines} lines were skipped." if lines > 1 else "The first line was skipped.",
            meaning="It looks like a comment or a title above the table.",
            line_numbers=tuple(range(1, lines + 1)),
            count=lines,
        )
    ]


PLUGIN = Delimited()
