"""The files of a batch, in `batches/ID`: the rows as they were read, what was said in parts, and the file with both.

rows.parquet    the rows of the file that was given, as text; beside it read.json, how they were read
parts/N.parquet what was said about rows N * size to (N + 1) * size: whole or absent, so that a kill costs one part
result.EXT      the file that the person gets
first.parquet   the rows that the model is least certain of, least certain first: number (from 1), certainty, columns
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core import importers
from core.atomic import fsync_folder, write_file, write_json
from core.data.file_kinds import HEAD_BYTES, is_gzip, is_parquet, is_zip
from core.data.json_values import JsonReader
from core.data.predicted import Columns
from core.data.table_files import CsvFile, ExcelFile, JsonLinesFile, ParquetFile, TableFile, windows
from core.data.tables import without_control
from core.data.text_encoding import TextEncoding, open_text
from core.schemas.batch import MOST_FIRST, BatchSpec
from core.schemas.imports import ColumnKind, ImportReport
from core.store.table_writer import ParquetPieces

from . import reading

ROWS, READ, PARTS, FIRST = "rows.parquet", "read.json", "parts", "first.parquet"
Said = Callable[[str, float, float], None]


def read(spec: BatchSpec, folder: Path, say: Said, guard: Callable[[], None]) -> ImportReport:
    """Read the file into `rows.parquet`, once. Raises UserError where it cannot be read."""
    if (folder / ROWS).exists():
        return ImportReport.model_validate_json((folder / READ).read_text("utf-8"))
    source = reading.source(spec.file)
    say("Reading the file, megabytes", 0, source.size / 1e6)

    def write(piece: pa.Table, share: float) -> None:
        say("Reading the file, megabytes", share * source.size / 1e6, source.size / 1e6)
        writer.write(piece)

    with ParquetPieces(folder) as writer:
        report = importers.stream(source.path, source.name, source.options, source.limits, write)
        whole = writer.whole()
        with open(whole, "rb+") as stream:
            os.fsync(stream.fileno())
        guard()
        write_json(folder / READ, report.model_dump(mode="json", exclude={"preview"}))
        os.replace(whole, folder / ROWS)
    fsync_folder(folder)
    return report


def rows(folder: Path) -> int:
    return int(pq.read_metadata(folder / ROWS).num_rows)


def column_names(folder: Path) -> list[str]:
    return list(pq.read_schema(folder / ROWS).names)


def part_path(folder: Path, number: int) -> Path:
    return folder / PARTS / f"{number:06d}.parquet"


def has_part(folder: Path, number: int, wanted: int) -> bool:
    """Whether this part is there with so many rows. One that cannot be read is made again."""
    path = part_path(folder, number)
    try:
        return path.exists() and pq.read_metadata(path).num_rows == wanted
    except (OSError, pa.ArrowException):
        return False


def keep_part(folder: Path, number: int, part: pa.Table) -> None:
    write_file(part_path(folder, number), lambda stream: pq.write_table(part, stream))


def parts(folder: Path, count: int) -> Iterator[pa.Table]:
    return (pq.read_table(part_path(folder, number)) for number in range(count))


def certainties(folder: Path, count: int) -> np.ndarray:
    """Of every row, shape (rows,); NaN where there is none."""
    found = [pq.read_table(part_path(folder, n), columns=["certainty"])["certainty"].to_numpy() for n in range(count)]
    return np.concatenate(found).astype(float) if found else np.empty(0)


@dataclass(frozen=True)
class Joined:
    """The file that was written: its name in the folder, how it spells letters, and cells that were changed for the format."""

    name: str
    encoding: str
    protected: int
    shortened: int


def join(
    spec: BatchSpec, folder: Path, size: int, columns: Columns, obey: Callable[[int], None], guard: Callable[[], None]
) -> Joined:
    """Write `result.EXT`: every row of the file in its order, with what was said behind it; whole or absent.

    `obey` is called with the number of rows written and may raise.
    """
    report = ImportReport.model_validate_json((folder / READ).read_text("utf-8"))
    target = folder / f"result.{spec.format}"
    encoding = (report.options.encoding or "utf-8-sig") if report.format == "delimited" else "utf-8-sig"
    for tried in dict.fromkeys((encoding, "utf-8-sig")):
        kept: list[TableFile] = []

        def write(stream: Any, tried: str = tried, kept: list[TableFile] = kept) -> None:
            file = _opened(spec, report, column_names(folder), columns, stream, tried)
            done = 0
            for number, own in enumerate(_own_rows(spec, report, folder, size)):
                part = pq.read_table(part_path(folder, number))
                file.write(own, part)
                done += part.num_rows
                obey(done)
            file.close()
            guard()
            kept.append(file)

        try:
            write_file(target, write)
        except UnicodeEncodeError:  # an answer with a letter that the old encoding does not have
            continue
        written = tried if spec.format == "csv" else ""
        return Joined(target.name, written, kept[0].protected, kept[0].shortened)
    raise AssertionError("UTF-8 has every letter")


def _opened(
    spec: BatchSpec, report: ImportReport, own: Sequence[str], columns: Columns, stream: Any, encoding: str
) -> TableFile:
    if spec.format == "csv":
        separator = (report.options.separator or ",") if report.format == "delimited" else ","
        return CsvFile(stream, own, columns, encoding, separator, spec.protect)
    if spec.format == "xlsx":
        return ExcelFile(stream, own, columns, [c.name for c in report.columns if c.kind is ColumnKind.NUMBER])
    return JsonLinesFile(stream, own, columns) if spec.format == "jsonl" else ParquetFile(stream, own, columns)


def _own_rows(spec: BatchSpec, report: ImportReport, folder: Path, size: int) -> Iterator[Any]:
    """The rows of the file in windows of `size`: as text, or, where a format with types becomes the same one, with its types."""
    source = reading.source(spec.file).path
    with open(source, "rb") as stream:
        head = stream.read(HEAD_BYTES)
    if spec.format == report.format == "parquet" and is_parquet(head):
        return windows(source, size)
    if spec.format == "jsonl" and report.format == "json_lines" and not (is_gzip(head) or is_zip(head)):
        return _records(source, report, size)
    return windows(folder / ROWS, size)


def _records(path: Path, report: ImportReport, size: int) -> Iterator[list[dict[str, Any]]]:
    """The objects of a JSON lines file as they are; broken lines are left out, as when it was read."""
    reader, held = JsonReader(), []
    with open(path, "rb") as file, open_text(file, TextEncoding(report.options.encoding or "utf-8", True)) as text:
        for number, line in enumerate(text, start=1):
            said = without_control(line)  # as when it was read for predicting
            record = reader.record(said, number) if said.strip() else None
            if record is None:
                continue
            held.append(record)
            if len(held) == size:
                yield held
                held = []
    if held:
        yield held


def keep_first(folder: Path, size: int, columns: Columns, certain: np.ndarray, guard: Callable[[], None]) -> int:
    """Keep the rows that the model is least certain of in `first.parquet`. Returns how many."""
    known = np.flatnonzero(~np.isnan(certain))
    chosen = known[np.argsort(certain[known], kind="stable")][:MOST_FIRST]
    if not len(chosen):
        return 0
    wanted, found = np.sort(chosen), []
    for number, own in enumerate(windows(folder / ROWS, size)):
        here = wanted[(wanted >= number * size) & (wanted < number * size + own.num_rows)]
        if len(here):
            took = pa.array(here - number * size)
            table = own.take(took)
            new = columns.table(pq.read_table(part_path(folder, number)).take(took))
            for name in new.column_names:
                table = table.append_column(new.field(name), new.column(name))
            table = table.add_column(0, "\0certainty", pa.array(certain[here]))
            found.append(table.add_column(0, "\0row", pa.array(here + 1)))
    whole = pa.concat_tables(found)
    whole = whole.take(pa.array(np.searchsorted(wanted, chosen)))
    guard()
    write_file(folder / FIRST, lambda stream: pq.write_table(whole, stream))
    return len(chosen)


def clear(folder: Path) -> None:
    """Remove what was made, so that the next start begins anew; the file that was given stays."""
    shutil.rmtree(folder, ignore_errors=True)
