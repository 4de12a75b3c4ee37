"""Read a file of examples, whatever it is: look at its content, unpack it safely, hand it to its format, describe it.

`inspect` is for the screen (a quick look with a preview), `read` for the import itself.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO
from zipfile import ZipFile

import pyarrow as pa

from core.data import archives, file_kinds
from core.data.columns import RunningColumns, shorten
from core.data.shapes import TASK_OF_SHAPE, TASKS, recognise_shape, roles_of, shape_notes
from core.data.targets import Collected, Target
from core.discovery import discover
from core.schemas.errors import UserError
from core.schemas.findings import Severity
from core.schemas.imports import (
    COLUMNS_SHOWN,
    PREVIEW_ROWS,
    ColumnKind,
    ImportLimits,
    ImportNote,
    ImportOptions,
    ImportReport,
    Member,
)

from . import _class_folders
from ._plugin import Importer, Reading

INSPECTED_ROWS = 2_000
FILENAME_CHARACTERS = 200
TRAINING_NAME = re.compile(r"(?<![a-z])train", re.IGNORECASE)


def inspect(
    path: Path, filename: str, options: ImportOptions | None = None, limits: ImportLimits | None = None
) -> ImportReport:
    """What the file holds, from its first 2,000 rows. `filename` is the name that the person knows it by.

    Raises UserError where the file cannot be read.
    """
    return read(path, filename, options, INSPECTED_ROWS, limits)[1]


def read(
    path: Path,
    filename: str,
    options: ImportOptions | None = None,
    limit_rows: int | None = None,
    limits: ImportLimits | None = None,
) -> tuple[pa.Table, ImportReport]:
    """All rows (or the first `limit_rows`) and the report about them.

    Every column of the table is a string column: cells exactly as written, null where nothing was written, and JSON
    text where a cell holds a list or a record (such as a conversation). Raises UserError where the file cannot be read.
    """
    collected = Collected()
    with path.open("rb") as file:
        target = Target(collected.write, limits or ImportLimits(), limit_rows)
        report = _read(file, filename, options or ImportOptions(), target)
    return collected.table(), report


def stream(
    path: Path, filename: str, options: ImportOptions, limits: ImportLimits, write: Callable[[pa.Table, float], None]
) -> ImportReport:
    """As `read`, but every piece of the rows is handed to `write` as soon as it is there, with the share (0 to 1) of the
    file that was read by then. A later piece may have further columns. What `write` raises ends the reading."""
    with path.open("rb") as file:
        share = _Share(file)
        return _read(file, filename, options, Target(lambda piece: write(piece, share()), limits), share)


def from_paste(
    text: str, options: ImportOptions | None = None, limit_rows: int | None = None
) -> tuple[pa.Table, ImportReport]:
    """As `read`, for a text that was pasted: a table copied from a spreadsheet, JSON Lines, or plain text."""
    file = io.BytesIO(text.encode("utf-8", "replace"))
    chosen = (options or ImportOptions()).model_copy(update={"encoding": "utf-8"})
    collected = Collected()
    report = _read(file, "pasted text", chosen, Target(collected.write, limit_rows=limit_rows))
    return collected.table(), report


class _Share:
    """How far the file that holds the rows is read; an archive is unpacked first, and then its inner file counts."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def __call__(self) -> float:
        here = self.file.tell()
        size = self.file.seek(0, io.SEEK_END)
        self.file.seek(here)
        return min(1.0, here / max(size, 1))


class _Failed(Exception):
    """Carries what the target raised past the formats, which would take it for damage of their file."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


def _read(
    file: BinaryIO, filename: str, options: ImportOptions, target: Target, share: _Share | None = None
) -> ImportReport:
    _check_size(file, target.limits)
    columns = RunningColumns()

    def write(piece: pa.Table) -> None:
        columns.add(piece)
        try:
            target.write(piece)
        except Exception as error:
            raise _Failed(error) from error

    try:
        found = _dispatch(file, filename, options, replace(target, write=write), share or _Share(file))
    except _Failed as failed:
        raise failed.error from None
    return _report(filename, found, columns)


@dataclass
class _Found:
    """A file that was read: the format's key and title, and the archive that it came from, if any."""

    key: str
    title: str
    reading: Reading
    members: tuple[Member, ...] = ()
    notes: tuple[ImportNote, ...] = ()


def _dispatch(file: BinaryIO, filename: str, options: ImportOptions, target: Target, share: _Share) -> _Found:
    head = _head(file)
    if file_kinds.is_gzip(head):
        with archives.unpack_gzip(file, target.limits) as inner:
            name = filename.removesuffix(".gz").removesuffix(".GZ")
            return _read_plain(inner, name, options, target, share, packed=True)
    if file_kinds.is_zip(head) and not _is_workbook(file):
        with archives.open_zip(file) as archive:
            return _read_zip(archive, options, target, share)
    return _read_plain(file, filename, options, target, share)


def _read_plain(
    file: BinaryIO, filename: str, options: ImportOptions, target: Target, share: _Share, packed: bool = False
) -> _Found:
    share.file = file
    head = _head(file)
    file_kinds.refuse_unreadable(head, filename)
    if packed and (file_kinds.is_gzip(head) or (file_kinds.is_zip(head) and not _is_workbook(file))):
        raise _only_archives()
    formats: list[Importer] = list(discover(__package__).values())
    best = max(formats, key=lambda importer: importer.matches(head, filename))
    file.seek(0)
    return _Found(best.key, best.title, best.read(file, filename, options, target))


def _read_zip(archive: ZipFile, options: ImportOptions, target: Target, share: _Share) -> _Found:
    content = archives.zip_content(archive)
    members = content.members
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
        reading = _class_folders.read_class_folders(archive, members, options, target)
        return _Found(_class_folders.KEY, _class_folders.TITLE, reading)
    by_name = {member.name: member for member in members}
    member = by_name.get(options.member) if options.member else _likely_member(members)
    if member is None:
        raise UserError(
            "The archive has no such file.",
            f"There is no readable file called “{shorten(options.member or '', 80)}” in it.",
            f"Choose one of: {', '.join(list(by_name)[:10])}.",
        )
    with archives.extract_member(archive, member.name, target.limits) as inner:
        found = _read_plain(inner, member.name, options, target, share, packed=True)
    found.reading.options = found.reading.options.model_copy(update={"member": member.name})
    found.members = members
    found.notes = tuple(_archive_notes(content, member))
    return found


def _archive_notes(content: archives.ZipContent, member: Member) -> Iterator[ImportNote]:
    if len(content.members) > 1:
        others = ", ".join(m.name for m in content.members if m is not member)
        yield ImportNote(
            severity=Severity.INFO,
            title=f"The archive offers {len(content.members):,} files; this is {shorten(member.name, 80)}.",
            meaning=f"Others: {shorten(others)}.",
        )
    if content.inner_archives:
        yield ImportNote(
            severity=Severity.WARNING,
            title=f"{content.inner_archives:,} archives inside the archive were not opened.",
            meaning="Unpack them yourself if you need what they hold.",
            count=content.inner_archives,
        )


def _likely_member(members: tuple[Member, ...]) -> Member:
    """The training part where a file is called so, else the largest file."""
    training = [m for m in members if TRAINING_NAME.search(m.name.rsplit("/", 1)[-1])]
    return max(training or members, key=lambda member: member.size)


def _report(filename: str, found: _Found, running: RunningColumns) -> ImportReport:
    reading, table = found.reading, running.sample()
    columns = running.columns()
    shape = recognise_shape(table, columns)
    empty = [column.name for column in columns if column.kind is ColumnKind.EMPTY]
    notes = [*found.notes, *reading.notes]
    if empty:
        notes.append(
            ImportNote(
                severity=Severity.WARNING,
                title=f"{len(empty):,} column{'s are' if len(empty) > 1 else ' is'} empty: {_names(empty)}.",
                meaning="Columns without any value are of no use; ignore them.",
                count=len(empty),
            )
        )
    if len(columns) > COLUMNS_SHOWN:
        notes.append(
            ImportNote(
                severity=Severity.WARNING,
                title=f"The table has {len(columns):,} columns; the preview shows the first {COLUMNS_SHOWN}.",
                meaning="All columns can be chosen. Usually only two or three are needed.",
                count=len(columns),
            )
        )
    placeholders = running.placeholders if len(columns) > 1 else {}
    for column, hits in list(placeholders.items())[:10]:
        notes.append(
            ImportNote(
                severity=Severity.INFO,
                title=f"“{shorten(column, 60)}” holds a word such as NA, null or none in {hits:,} cell{'s' * (hits > 1)}.",
                meaning="Such words were kept as they are written. If they stand for a missing value, take those rows out.",
                count=hits,
            )
        )
    return ImportReport(
        filename=_shown_name(filename),
        format=found.key,
        format_title=found.title,
        options=reading.options,
        columns=columns,
        rows=running.rows,
        complete=reading.complete,
        notes=tuple(notes + shape_notes(table, shape, running.rows)),
        shape=shape,
        task=TASK_OF_SHAPE[shape] if shape else None,
        roles={task: roles_of(columns, task) for task in TASKS},
        members=found.members,
        sheets=reading.sheets,
        paths=reading.paths,
        preview=tuple(_preview(table)),
    )


def _preview(table: pa.Table) -> Iterator[dict[str, str | None]]:
    for row in table.select(table.column_names[:COLUMNS_SHOWN]).slice(0, PREVIEW_ROWS).to_pylist():
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


def _check_size(file: BinaryIO, limits: ImportLimits) -> None:
    size = file.seek(0, io.SEEK_END)
    if size > limits.max_bytes:
        raise UserError(
            "The file is too large.",
            f"It holds {size / 1e6:,.0f} MB; the limit is {limits.max_bytes / 1e6:,.0f} MB.",
            "Choose a part of the data, or split it into several files.",
        )


def _only_archives() -> UserError:
    return UserError(
        "The archive holds other archives.",
        "Archives inside an archive are not opened, because they are a way to fill up a disk.",
        "Unpack it on your computer and choose the file with your examples.",
    )
