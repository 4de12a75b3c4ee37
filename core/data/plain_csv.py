"""Read a plain text table at the speed of Arrow, but only where that provably gives the cells that `records.py` gives.

Most large tables are plain: UTF-8, no control characters, quotation marks only around whole cells, the same number of
cells in every row, no rows of blanks. All of that is checked first, by looking at the bytes and by a first pass of
Arrow's reader whose rows are looked at and thrown away. Where anything is unusual the answer is None, and the careful
reader takes over, which understands it and says in which line it stands.
"""

from __future__ import annotations

import codecs
import io
import mmap
import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from .layout import Layout

BLOCK_BYTES = 4 << 20
LEAST_BYTES = 1 << 20  # smaller files are read quickly enough as it is
# Control characters but tab and line ends; in UTF-8 U+0080 to U+009F are C2 80 to C2 9F (see `tables.UNWANTED`).
CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]")
LONE_RETURN = re.compile(rb"\r(?!\n)")


class PlainCsv:
    """A file that was found plain. `last` are the cells of its last row."""

    def __init__(self, file: BinaryIO, layout: Layout, width: int, enclosed: bool) -> None:
        self._file, self._layout, self._width, self._enclosed = file, layout, width, enclosed
        self.last: list[str] = []

    def pieces(self) -> Iterator[pa.Table]:
        """The rows below the column names, with numbers as names; empty cells are null."""
        self._file.seek(0)
        names = [str(place) for place in range(self._width)]
        reader = arrow_csv.open_csv(
            _Kept(self._file),
            arrow_csv.ReadOptions(block_size=BLOCK_BYTES, skip_rows=self._layout.skip_lines, column_names=names),
            arrow_csv.ParseOptions(
                delimiter=self._layout.separator,
                quote_char='"' if self._enclosed else False,
                newlines_in_values=self._enclosed,
            ),
            arrow_csv.ConvertOptions(
                check_utf8=False,  # done for the whole file before
                column_types=dict.fromkeys(names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
        first = self._layout.has_header
        for batch in reader:
            if first and batch.num_rows:
                batch, first = batch.slice(1), False
            if batch.num_rows:
                yield pa.Table.from_batches([batch])

    def looks_plain(self) -> bool:
        """Whether Arrow understands every row, and none is blank."""
        try:
            for piece in self.pieces():
                if _has_blank_row(piece):
                    return False
                self.last = [cell or "" for cell in piece.slice(piece.num_rows - 1).to_pylist()[0].values()]
        except pa.ArrowInvalid:  # uneven rows, or one that is longer than a block
            return False
        return bool(self.last)


def open_plain(file: BinaryIO, encoding: str, layout: Layout, names: Sequence[str]) -> PlainCsv | None:
    """The file as a plain table, or None where only the careful reader does it justice."""
    if encoding not in ("utf-8", "utf-8-sig") or layout.quoting == "backslash" or len(names) < 2:
        return None
    if not layout.separator.isascii() or layout.separator in '"\r\n' or file.seek(0, io.SEEK_END) < LEAST_BYTES:
        return None
    try:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            quoted = layout.quoting == "standard" and content.find(b'"') >= 0
            if LONE_RETURN.search(content) or CONTROL.search(content):
                return None
            if quoted and (layout.skip_lines or not _marks_enclose_cells(content, layout.separator)):
                return None
    except (OSError, ValueError):  # not a file on disk
        return None
    plain = PlainCsv(file, layout, len(names), quoted)
    return plain if plain.looks_plain() else None


def _marks_enclose_cells(content: mmap.mmap, separator: str) -> bool:
    """Whether every cell is either free of quotation marks or enclosed by two, with those inside it doubled."""
    mark = re.escape(separator.encode())
    cell = rb'(?:"(?:[^"]++|"")*+"|[^"' + mark + rb"\r\n]*+)"
    # Possessive (*+, ++): what is read once is never read again in another way.
    cells = re.compile(rb"(?:" + cell + rb"(?:" + mark + rb"|\r?\n))*+" + cell)
    start = len(codecs.BOM_UTF8) if content[:3] == codecs.BOM_UTF8 else 0
    return cells.fullmatch(content, start) is not None


def _has_blank_row(piece: pa.Table) -> bool:
    """As the careful reader sees it: nothing in the first cell, and nothing but white space in the others."""
    rows = piece.filter(pc.is_null(piece.column(0)))
    if not rows.num_rows:
        return False
    blank = None
    for column in rows.columns[1:]:
        empty = pc.fill_null(pc.equal(pc.utf8_trim_whitespace(column), ""), True)
        blank = empty if blank is None else pc.and_(blank, empty)
    return bool(pc.any(blank).as_py())


class _Kept(io.RawIOBase):
    """A file that Arrow may close without closing the file itself."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        block = self._file.read(len(memoryview(buffer)))  # type: ignore[arg-type]
        memoryview(buffer)[: len(block)] = block  # type: ignore[arg-type]
        return len(block)

    def read(self, size: int | None = -1) -> bytes:
        return self._file.read(-1 if size is None else size)
