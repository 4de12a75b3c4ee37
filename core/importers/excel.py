"""Excel workbooks (.xlsx): the values that a person sees in one sheet, not the formulas behind them."""

from __future__ import annotations

import warnings
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import chain, islice
from typing import Any, BinaryIO

from core.data.archives import check_declared_size, open_zip
from core.data.file_kinds import is_zip
from core.data.layout import looks_like_header
from core.data.tables import LineNotes, TableBuilder, cell_text, distinct_names, printable
from core.data.targets import Target
from core.schemas.errors import UserError
from core.schemas.findings import Severity
from core.schemas.imports import ImportLimits, ImportNote, ImportOptions

from ._plugin import Reading

ROWS_FOR_HEADER = 200
ROWS_COUNTED = 200  # of each sheet, to tell a table from a cover
# What openpyxl, the XML parser and the zip reader raise for a workbook that is broken somewhere.
DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)


class Excel:
    key = "excel"
    title = "Excel workbook"
    order = 6

    def matches(self, head: bytes, filename: str) -> float:
        return 1.0 if is_zip(head) else 0.0  # other archives are unpacked before any format is asked

    def read(self, file: BinaryIO, filename: str, options: ImportOptions, target: Target) -> Reading:
        """Raises UserError where the workbook is damaged, too large, empty, or has no sheet of that name."""
        _check_package(file, target.limits)
        import openpyxl

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about styles and extensions that do not matter here
                book = openpyxl.load_workbook(file, read_only=True, data_only=True)
                sheets = _sheet_names(book)
                name = options.sheet or _main_sheet(book, sheets)
                if name not in sheets:
                    raise UserError(
                        "The workbook has no such sheet.",
                        f"There is no sheet called “{name[:60]}”. It has: {', '.join(sheets[:10])}.",
                        "Choose one of these sheets.",
                    )
                return _read_sheet(book, file, name, sheets, options, target)
        except DAMAGE as error:
            raise _damaged() from error


def _check_package(file: BinaryIO, limits: ImportLimits) -> None:
    with open_zip(file) as package:
        names = set(package.namelist())
        check_declared_size(package, limits)
    file.seek(0)
    if "xl/workbook.xml" in names:
        return
    what = (
        "a Word document"
        if "word/document.xml" in names
        else "a PowerPoint file"
        if "ppt/presentation.xml" in names
        else "a binary Excel workbook (.xlsb)"
        if "xl/workbook.bin" in names
        else "an OpenDocument file (such as .ods)"
        if "content.xml" in names
        else "an Office file of another kind"
    )
    raise UserError(
        f"This is {what}, not an Excel workbook (.xlsx).",
        "Its content shows what it really is.",
        "Save your table as .xlsx or CSV and choose that file.",
    )


def _sheet_names(book: Any) -> tuple[str, ...]:
    """Names of the sheets with cells: visible ones first."""
    sheets = sorted(book.worksheets, key=lambda sheet: sheet.sheet_state != "visible")
    if not sheets:
        raise UserError(
            "The workbook has no sheets.",
            "It holds no table, only charts or nothing.",
            "Choose a workbook with your examples in a sheet.",
        )
    return tuple(sheet.title for sheet in sheets)


def _main_sheet(book: Any, sheets: tuple[str, ...]) -> str:
    """The first sheet that is no cover: with at least a tenth of the rows of the fullest, counted up to a limit."""
    filled = {name: _filled(book[name]) for name in sheets} if len(sheets) > 1 else {}
    fullest = max(filled.values(), default=0)
    return next((name for name in sheets if filled.get(name, 0) * 10 >= fullest > 0), sheets[0])


def _filled(sheet: Any) -> int:
    """Rows with a value, at most `ROWS_COUNTED`."""
    sheet.reset_dimensions()
    rows = (True for row in sheet.iter_rows() if any(cell.value is not None for cell in row))
    return sum(islice(rows, ROWS_COUNTED))


def _read_sheet(
    book: Any, file: BinaryIO, name: str, sheets: tuple[str, ...], options: ImportOptions, target: Target
) -> Reading:
    errors, cleaned = LineNotes(), LineNotes()
    rows = _filled_rows(_cells(book[name], errors, cleaned), options.skip_lines or 0)
    beginning = list(islice(rows, ROWS_FOR_HEADER))
    skip = _rows_above(beginning) if options.skip_lines is None else 0
    above, beginning = beginning[:skip], beginning[skip:]
    if not beginning:
        others = f" Other sheets: {', '.join(s for s in sheets if s != name)}." if len(sheets) > 1 else ""
        raise UserError(
            "The sheet is empty.",
            f"The sheet “{name}” holds no cells.{others}",
            "Choose the sheet or the file with your examples.",
        )
    width = max(len(cells) for _, cells in beginning)
    padded = [cells + [""] * (width - len(cells)) for _, cells in beginning]
    header = looks_like_header(padded[0], padded[1:]) if options.has_header is None else options.has_header
    names = distinct_names(padded[0] if header else [""] * width, target.limits.max_columns)
    builder, wide, complete = TableBuilder(names, target), LineNotes(), True
    for number, cells in chain(beginning[int(header) :], rows):
        if builder.full:
            complete = False
            break
        if len(cells) > width:
            wide.add(number)
        builder.add((cells + [""] * width)[:width])
    builder.finish()
    if not builder.rows:
        raise UserError(
            "The sheet has no rows.",
            f"It holds only column names: {', '.join(names[:8])}.",
            "Choose a sheet with examples below the column names.",
        )
    notes = _notes(errors, cleaned, wide, above)
    if builder.has_gaps:
        notes += _unsaved_formulas(file, name)
    if len(sheets) > 1:
        notes.append(
            ImportNote(
                severity=Severity.INFO,
                title=f"The workbook has {len(sheets)} sheets; this is “{name}”.",
                meaning=f"Others: {', '.join(s for s in sheets if s != name)[:300]}.",
            )
        )
    used = options.model_copy(
        update={
            "sheet": name,
            "has_header": header,
            "skip_lines": above[-1][0] if above else options.skip_lines or 0,
        }
    )
    return Reading(used, notes, complete, sheets)


def _cells(sheet: Any, errors: LineNotes, cleaned: LineNotes) -> Iterator[tuple[int, list[str]]]:
    """Numbered rows of texts, without empty cells at their ends."""
    sheet.reset_dimensions()  # the size that a file declares is often wrong
    for number, row in enumerate(sheet.iter_rows(), start=1):
        cells = []
        for cell in row:
            if cell.data_type == "e":
                errors.add(number)
                cells.append("")
                continue
            written = _written(cell.value)
            clean = printable(written)
            if clean != written:
                cleaned.add(number)
            cells.append(clean)
        while cells and not cells[-1].strip():
            cells.pop()
        yield number, cells


def _filled_rows(rows: Iterator[tuple[int, list[str]]], skip: int) -> Iterator[tuple[int, list[str]]]:
    return ((number, cells) for number, cells in rows if cells and number > skip)


def _rows_above(rows: list[tuple[int, list[str]]]) -> int:
    """How many rows with a single cell (a title, a remark) stand above a table of several columns."""
    usual = sorted(len(cells) for _, cells in rows)[len(rows) // 2] if rows else 0
    above = next((place for place, (_, cells) in enumerate(rows) if sum(map(bool, cells)) > 1), 0)
    return above if usual > 1 and above <= 10 else 0


def _written(value: Any) -> str:
    """A value as the sheet shows it. Times at midnight are dates."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    return cell_text(value) or ""


def _unsaved_formulas(file: BinaryIO, name: str) -> list[ImportNote]:
    """Formulas whose result was never saved look like empty cells; only a look at the formulas tells them apart."""
    import openpyxl

    file.seek(0)
    formulas = openpyxl.load_workbook(file, read_only=True, data_only=False)
    file.seek(0)
    values = openpyxl.load_workbook(file, read_only=True, data_only=True)
    lost = LineNotes()
    pairs = zip(formulas[name].iter_rows(), values[name].iter_rows(), strict=False)
    for number, (left, right) in enumerate(pairs, start=1):
        if any(f.data_type == "f" and v.value is None for f, v in zip(left, right, strict=False)):
            lost.add(number)
    if not lost.count:
        return []
    return [
        lost.note(
            Severity.WARNING,
            "{rows} {hold} formulas without a saved result.",
            "Those cells are read as empty ({where}). Open the workbook in a spreadsheet program and save it once.",
        )
    ]


def _notes(
    errors: LineNotes, cleaned: LineNotes, wide: LineNotes, above: list[tuple[int, list[str]]]
) -> list[ImportNote]:
    notes = []
    if above:
        notes.append(
            ImportNote(
                severity=Severity.INFO,
                title=f"The first {above[-1][0]} rows were skipped."
                if above[-1][0] > 1
                else "The first row was skipped.",
                meaning="It looks like a title above the table."
                if above[-1][0] == 1
                else "They look like a title above the table.",
                line_numbers=tuple(number for number, _ in above),
                count=len(above),
            )
        )
    if errors.count:
        notes.append(
            errors.note(
                Severity.WARNING,
                "{rows} {hold} an error such as #REF! or #N/A.",
                "Those cells are read as empty ({where}).",
            )
        )
    if wide.count:
        notes.append(
            wide.note(
                Severity.WARNING,
                "{rows} {have} more cells than there are columns.",
                "The surplus cells at the end were left out ({where}).",
            )
        )
    if cleaned.count:
        notes.append(cleaned.about_control_characters("{rows}"))
    return notes


def _damaged() -> UserError:
    return UserError(
        "The workbook is damaged.",
        "It is not complete, or its parts do not fit together.",
        "Open it in your spreadsheet program, save it again as .xlsx and choose the new file.",
    )


PLUGIN = Excel()
