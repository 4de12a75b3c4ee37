"""Read the files of an import into one table, piece by piece: where they lie, their row ids, and which part they are for."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from core import importers
from core.atomic import file_hash
from core.data.splitting import part_named
from core.schemas.errors import UserError
from core.schemas.examples import SPLITS
from core.schemas.imports import ImportLimits, ImportOptions, ImportReport
from core.store import config, records
from core.store.files import TableWriter, upload_path
from core.store.tables import Upload

from . import folders

ROW_ID = "row_id"
PART = "part_of_file"  # the column that says which of several files a row came from
TAKEN = (ROW_ID, PART, "file_row_number")  # names that are ours, or DuckDB's (see `core/store/rows.py`)
SECONDS_BETWEEN_REPORTS = 0.2
Progress = Callable[[str, float, float], None]


@dataclass(frozen=True)
class Source:
    """A file of an import: uploaded, or chosen in a folder of this machine. `part` is a split, or None for all of them."""

    name: str
    path: Path
    size: int
    limits: ImportLimits
    options: ImportOptions
    part: str | None = None
    digest: str | None = None

    def inspect(self) -> ImportReport:
        """What the beginning of the file looks like."""
        return importers.inspect(self.path, self.name, self.options, self.limits)

    def first(self, rows: int) -> list[dict[str, str | None]]:
        """The first rows, whole."""
        found: list[dict[str, str | None]] = importers.read(self.path, self.name, self.options, rows, self.limits)[
            0
        ].to_pylist()
        return found


@dataclass
class Imported:
    """A table that is kept under `content`. `reports` has one entry a file."""

    content: str
    rows: int
    columns: list[str]
    names: list[str] = field(default_factory=list)
    reports: list[ImportReport] = field(default_factory=list)


def source(file: Mapping[str, Any]) -> Source:
    """The file of an import's payload: `upload_id` or `path`, `options` and `part`.

    Raises UserError where it is not there (any more) or lies outside the folders that are allowed.
    """
    options, part = ImportOptions.model_validate(file.get("options") or {}), file.get("part") or None
    if file.get("path"):
        path = folders.allowed(str(file["path"]))
        if not path.is_file():
            raise UserError("This is no file.", f"{path} is a folder or a device.", "Choose the files inside it.")
        return Source(path.name, path, path.stat().st_size, config.import_limits(from_folder=True), options, part)
    upload = records.get(Upload, str(file.get("upload_id")))
    if upload is None:
        raise UserError("The file is not there any more.", "It was removed with its project.", "Upload it again.")
    path, limits = upload_path(upload.sha256), config.import_limits()
    return Source(upload.filename, path, upload.size, limits, options, part, upload.sha256)


def guessed_part(filename: str) -> str | None:
    """The split that a file's name or else its folder speaks of ("train.csv", "test/0.parquet"), or None for all."""
    *above, name = Path(filename).parts or ("",)
    return part_named(name) or (part_named(above[-1]) if above else None)


def check_columns(reports: Sequence[ImportReport], roles: Mapping[str, str]) -> None:
    """Raise UserError, naming file and column, where a file lacks a column that is used."""
    for report in reports:
        names = [column.name for column in report.columns]
        for column in filter(None, roles.values()):
            if column not in names:
                raise UserError(
                    "The files do not have the same columns.",
                    f"“{report.filename}” has no column “{column}”. Its columns are: {', '.join(names[:12])}.",
                    "Rename the column in that file, choose a column that all files have, or take the file out.",
                )


def import_table(
    files: Sequence[Mapping[str, Any]],
    roles: Mapping[str, str],
    progress: Progress = lambda name, done, total: None,
    guard: Callable[[], None] = lambda: None,
) -> Imported:
    """Write the rows of all files into one kept table, holding one piece of them at a time.

    `progress` gets a phase and megabytes read of all; it may raise, and then nothing is left behind. `guard` is asked
    before the table gets its name. Raises UserError where a file cannot be read, or lacks a column that has a role.
    """
    sources = [source(file) for file in files]
    parts = _parts(sources)
    ids = _RowIds()
    reports: list[ImportReport] = []
    before = 0
    with TableWriter() as writer:
        for one, part in zip(sources, parts, strict=True):
            progress(f"Reading {one.name}", before / 1e6, sum(s.size for s in sources) / 1e6)
            ids.begin(one.digest or file_hash(one.path))
            report = _Reporter(progress, one, before, sum(s.size for s in sources))

            def write(piece: pa.Table, share: float, part: str | None = part, say: _Reporter = report) -> None:
                say(writer.rows, share)
                writer.write(_with_own_columns(piece, ids.next(piece.num_rows), part))

            reports.append(importers.stream(one.path, one.name, one.options, one.limits, write))
            check_columns(reports[-1:], roles)
            before += one.size
        progress(f"Keeping {writer.rows:,} rows", 0, 0)
        content = writer.keep(guard)
        return Imported(content, writer.rows, writer.columns, [s.name for s in sources], reports)


def _parts(sources: Sequence[Source]) -> list[str | None]:
    """What the rows of each file have in the column of parts; None for a single file, which has no such column.

    Where some files are for a split of their own, one for all of them is divided by what is missing: it counts as
    training, from which the other parts are drawn. Where none is, each row says its file's name.
    """
    if len(sources) == 1:
        return [None]
    if any(one.part in SPLITS for one in sources):
        return [one.part or "train" for one in sources]
    return [one.part or one.name for one in sources]


def _with_own_columns(piece: pa.Table, ids: pa.Array, part: str | None) -> pa.Table:
    """The piece behind its row ids, and before the column of parts. Columns of the file with those names are dropped."""
    piece = piece.drop_columns([name for name in TAKEN if name in piece.column_names])
    piece = piece.add_column(0, ROW_ID, ids)
    if part is None:
        return piece
    return piece.append_column(PART, pa.repeat(pa.scalar(part, pa.string()), piece.num_rows))


class _RowIds:
    """Ids such as `3fa9-17`: the beginning of the file's hash and the place of the row in the file. Where two files begin
    alike, an id that is taken gets the number of times it was used before (`3fa9-17.1`)."""

    def __init__(self) -> None:
        self._ends: dict[str, list[int]] = {}
        self._prefix, self._at = "", 0

    def begin(self, digest: str) -> None:
        if self._prefix:
            self._ends.setdefault(self._prefix, []).append(self._at)
        self._prefix, self._at = digest[:4], 0

    def next(self, rows: int) -> pa.Array:
        numbers = pa.array(range(self._at, self._at + rows), pa.int64())
        ids = pc.binary_join_element_wise(f"{self._prefix}-", numbers.cast(pa.string()), "")
        taken = None
        for end in self._ends.get(self._prefix, []):
            used = pc.less(numbers, end).cast(pa.int64())
            taken = used if taken is None else pc.add(taken, used)
        self._at += rows
        if taken is None:
            return ids
        again = pc.binary_join_element_wise(ids, taken.cast(pa.string()), ".")
        return pc.if_else(pc.greater(taken, 0), again, ids)


class _Reporter:
    """Tells how far the reading is, at most a few times a second."""

    def __init__(self, progress: Progress, one: Source, before: int, total: int) -> None:
        self._progress, self._source, self._before, self._total = progress, one, before, total
        self._said = 0.0

    def __call__(self, rows: int, share: float) -> None:
        now = time.monotonic()
        if now - self._said >= SECONDS_BETWEEN_REPORTS:
            self._said = now
            done = self._before + share * self._source.size
            self._progress(
                f"Reading {self._source.name}: {rows:,} rows so far, megabytes"
                if rows
                else f"Reading {self._source.name}, megabytes",
                done / 1e6,
                self._total / 1e6,
            )
