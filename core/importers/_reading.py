"""Read a file of examples, whatever it is: look at its content, unpack it safely, hand it to its format, describe it.

`inspect` is for the screen (a quick look with a preview), `read` for the import itself.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from zipfile import ZipFile

import pyarrow as pa

from core.data import archives, file_kinds
from core.data.columns import describe_columns, placeholder_counts, shorten
from core.data.shapes import TASK_OF_SHAPE, TASKS, recognise_shape, roles_of, shape_notes
from core.discovery import discover
from core.schemas.errors import UserError
from core.schemas.findings import Severity
from core.schemas.imports import PREVIEW_ROWS, ColumnKind, ImportNote, ImportOptions, ImportReport, Member

from . import _class_folders
from ._plugin import Importer, Reading

INSPECTED_ROWS = 2_000
FILENAME_CHARACTERS = 200
TRAINING_NAME = re.compile(r"(?<![a-z])train", re.IGNORECASE)


def inspect(path: Path, filename: str, options: ImportOptions | None = None) -> ImportReport:
    """What the file holds, from its first 2,000 rows. `filename` is the name that the person knows it by.

    Raises UserError where the file cannot be read.
    """
    return read(path, filename, options, limit_rows=INSPECTED_ROWS)[1]


def read(
    path: Path, filename: str, options: ImportOptions | None = None, limit_rows: int | None = None
) -> tuple[pa.Table, ImportReport]:
    """All rows (or the first `limit_rows`) and the report about them.

    Every column of the table is a string column: cells exactly as written, null where nothing was written, and JSON
    text where a cell holds a list or a record (such as a conversation). Raises UserError where the file cannot be read.
    """
    with path.open("rb") as file:
        return _read(file, filename, options or ImportOptions(), limit_rows)


def from_paste(
    text: str, options: ImportOptions | None = None, limit_rows: int | None = None
) -> tuple[pa.Table, ImportReport]:
    """As `read`, for a text that was pasted: a table copied from a spreadsheet, JSON Lines, or plain text."""
    file = io.BytesIO(text.encode("utf-8", "replace"))
    chosen = (options or ImportOptions()).model_copy(update={"encoding": "utf-8"})
    return _read(file, "pasted text", chosen, limit_rows)


def _read(
    file: BinaryIO, filename: str, options: ImportOptions, limit_rows: int | None
) -> tuple[pa.Table, ImportReport]:
    _check_size(file, options)
    members: tuple[Member, ...] = ()
    head = _head(file)
    notes: list[ImportNote] = []
    if file_kinds.is_gzip(head):
        with archives.unpack_gzip(file, options) as inner:
            name = filename.removesuffix(".gz").removesuffix(".GZ")
            key, title, reading = _read_plain(inner, name, options, limit_rows, packed=True)
    elif file_kinds.is_zip(head) and not _is_workbook(file):
        with archives.open_zip(file) as archive:
            key, title, reading, members, notes = _read_zip(archive, filename, options, limit_rows)
    else:
        key, title, reading = _read_plain(file, filename, options, limit_rows)
    report = _report(filename, key, title, reading, members)
    return reading.table, report.model_copy(update={"notes": (*notes, *report.notes)})


def _read_plain(
    file: BinaryIO, filename: str, options: ImportOptions, limit_rows: int | None, packed: bool = False
) -> tuple[str, str, Reading]:
    head = _head(file)
    file_kinds.refuse_unreadable(head, filename)
    if packed and (file_kinds.is_gzip(head) or (file_kinds.is_zip(head) and not _is_workbook(file))):
        raise _only_archives()
    formats: list[Importer] = list(discover(__package__).values())
    best = max(formats, key=lambda importer: importer.matches(head, filename))
    file.seek(0)
    return best.key, best.title, best.read(file, filename, options, limit_rows)


def _read_zip(
    archive: ZipFile, filename: str, options: ImportOptions, limit_rows: int | None
) -> tuple[str, str, Reading, tuple[Member, ...], list[ImportNote]]:
    content = archives.zip_content(archive)
    members = content.members
    notes: list[ImportNote] = []
    if not members:
        if content.encrypted:
            raise archives.locked_archive()
        if content.inner_archives:
            raise _only_archives()
        raise UserError(
            "The archive holds no file that can be read.",
            "None of its files is a table or text.",
            "Pack a CSV, Excel, JSON, JSON Lines, Parquet or text file.",
        )
    if options.member is None and _class_folders.is_class_folders(members):
        reading = _class_folders.read_class_folders(archive, members, options, limit_rows)
        return _class_folders.KEY, _class_folders.TITLE, reading, (), notes
    by_name = {member.name: member for member in members}
    member = by_name.get(options.member) if options.member else _likely_member(members)
    if member is None:
        raise UserError(
            "The archive has no such file.",
            f"There is no readable file called “{shorten(options.member or '', 80)}” in it.",
            f"Choose one of: {', '.join(list(by_name)[:10])}.",
        )
    with archives.extract_member(archive, member.name, options) as inner:
        key, title, reading = _read_plain(inner, member.name, options, limit_rows, packed=True)
    reading.options = reading.options.model_copy(update={"member": member.name})
    if len(members) > 1:
        others = ", ".join(m.name for m in members if m is not member)
        notes.append(ImportNote(
            severity=Severity.INFO,
            title=f"The archive offers {len(members):,} files; this is {shorten(member.name, 80)}.",
            meaning=f"Others: {shorten(others)}.",
        ))
    if content.inner_archives:
        notes.append(ImportNote(
            severity=Severity.WARNING,
            title=f"{content.inner_archives:,} archives inside the archive were not opened.",
            meaning="Unpack them yourself if you need what they hold.",
            count=content.inner_archives,
        ))
    return key, title, reading, members, notes


def _likely_member(members: tuple[Member, ...]) -> Member:
    """The training part where a file is called so, else the largest file."""
    training = [m for m in members if TRAINING_NAME.search(m.name.rsplit("/", 1)[-1])]
    return max(training or members, key=lambda member: member.size)


def _report(filename: str, key: str, title: str, reading: Reading, members: tuple[Member, ...]) -> ImportReport:
    table = reading.table
    columns = describe_columns(table)
    shape = recognise_shape(table, columns)
    empty = [column.name for column in columns if column.kind is ColumnKind.EMPTY]
    notes = list(reading.notes)
    if empty:
        notes.append(ImportNote(
            severity=Severity.WARNING,
            title=f"{len(empty):,} column{'s are' if len(empty) > 1 else ' is'} empty: {_names(empty)}.",
            meaning="Columns without any value are of no use; ignore them.",
            count=len(empty),
        ))
    shown = reading.options.max_columns_shown
    if len(columns) > shown:
        notes.append(ImportNote(
            severity=Severity.WARNING,
            title=f"The table has {len(columns):,} columns; the preview shows the first {shown}.",
            meaning="All columns can be chosen. Usually only two or three are needed.",
            count=len(columns),
        ))
    placeholders = placeholder_counts(table) if len(columns) > 1 else {}
    for column, hits in list(placeholders.items())[:10]:
        notes.append(ImportNote(
            severity=Severity.INFO,
            title=f"“{shorten(column, 60)}” holds a word such as NA, null or none in {hits:,} cell{'s' * (hits > 1)}.",
            meaning="Such words were kept as they are written. If they stand for a missing value, take those rows out.",
            count=hits,
        ))
    return ImportReport(
        filename=_shown_name(filename),
        format=key,
        format_title=title,
        options=reading.options,
        columns=columns,
        rows=table.num_rows,
        complete=reading.complete,
        notes=tuple(notes + shape_notes(table, shape)),
        shape=shape,
        task=TASK_OF_SHAPE[shape] if shape else None,
        roles={task: roles_of(columns, task) for task in TASKS},
        members=members,
        sheets=reading.sheets,
        preview=tuple(_preview(table, shown)),
    )


def _preview(table: pa.Table, columns: int) -> Iterator[dict[str, str | None]]:
    for row in table.select(table.column_names[:columns]).slice(0, PREVIEW_ROWS).to_pylist():
        yield {name: value and shorten(value) for name, value in row.items()}


def _names(names: list[str]) -> str:
    return ", ".join(shorten(name, 40) for name in names[:8]) + (" …" if len(names) > 8 else "")


def _shown_name(filename: str) -> str:
    """A name for the screen only. It is never used as a path."""
    return "".join(c if c.isprintable() else " " for c in filename)[-FILENAME_CHARACTERS:]


def _head(file: BinaryIO) -> bytes:
    file.seek(0)
    head = file.read(file_kinds.HEAD_BYTES)
    file.seek(0)
    return head


def _is_workbook(file: BinaryIO) -> bool:
    """Office files are zip archives of their own kind; their importer judges them."""
    with archives.open_zip(file) as package:
        names = package.namelist()
    file.seek(0)
    return "[Content_Types].xml" in names or "mimetype" in names[:1]


def _check_size(file: BinaryIO, options: ImportOptions) -> None:
    size = file.seek(0, io.SEEK_END)
    if size > options.max_bytes:
        raise UserError(
            "The file is too large.",
            f"It holds {size / 1e6:,.0f} MB; the limit is {options.max_bytes / 1e6:,.0f} MB.",
            "Choose a part of the data, or split it into several files.",
        )


def _only_archives() -> UserError:
    return UserError(
        "The archive holds other archives.",
        "Archives inside an archive are not opened, because they are a way to fill up a disk.",
        "Unpack it on your computer and choose the file with your examples.",
    )
