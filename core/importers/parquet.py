"""Parquet files. Values become text as a person would write them; lists and records become JSON."""

from __future__ import annotations

from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.data.file_kinds import is_parquet
from core.data.tables import LineNotes, cell_text, distinct_names, printable, too_many_columns
from core.data.targets import Target
from core.schemas.errors import UserError
from core.schemas.findings import Severity
from core.schemas.imports import ImportLimits, ImportNote, ImportOptions

from ._plugin import Reading

BATCH_BYTES = 8_000_000
MOST_ROWS_IN_BATCH = 50_000
# Anything but text that can be shown: control characters except tab and line ends.
CONTROL_RE2 = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x{9f}]"


class Parquet:
    key = "parquet"
    title = "Parquet"
    order = 5

    def matches(self, head: bytes, filename: str) -> float:
        return 1.0 if is_parquet(head) else 0.0

    def read(self, file: BinaryIO, filename: str, options: ImportOptions, target: Target) -> Reading:
        """Raises UserError where the file is damaged, empty, or larger than the limit when unpacked."""
        try:
            return self._read(file, options, target)
        except (pa.ArrowException, OSError, ValueError, NotImplementedError) as error:
            raise UserError(
                "The Parquet file is damaged.",
                "It was cut off or changed on its way, so that its table of contents or its data cannot be read.",
                "Download or copy it again, then choose the new copy.",
            ) from error

    def _read(self, file: BinaryIO, options: ImportOptions, target: Target) -> Reading:
        parquet = pq.ParquetFile(file)
        rows, row_bytes = _check_size(parquet.metadata, target.limits)
        # Texts are read as dictionaries: a repeated text that would fill the memory is seen before it is written out.
        texts = [field.name for field in parquet.schema_arrow if _is_text(field.type)]
        parquet = pq.ParquetFile(file, read_dictionary=texts)
        wanted = target.limit_rows or rows
        size = max(1, min(MOST_ROWS_IN_BATCH, BATCH_BYTES // max(row_bytes, 1), wanted))
        names = distinct_names(parquet.schema_arrow.names, target.limits.max_columns)
        cleaned = LineNotes()
        done = unpacked = 0
        for batch in parquet.iter_batches(batch_size=size):
            batch = batch.slice(0, wanted - done)
            columns = []
            for array in batch.columns:
                unpacked += _decoded_bytes(array)
                if unpacked > target.limits.max_bytes:
                    raise _too_large(target.limits)
                columns.append(_as_text(array, cleaned))
            target.write(pa.table(columns, names=names))
            done += batch.num_rows
            if done >= wanted:
                break
        return Reading(options, _notes(parquet.schema_arrow, cleaned), complete=done >= rows)


def _check_size(metadata: pq.FileMetaData, limits: ImportLimits) -> tuple[int, int]:
    """Rows, and bytes a row when unpacked, as the file declares them."""
    if metadata.num_columns > limits.max_columns:
        raise too_many_columns(metadata.num_columns, limits.max_columns)
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    values = sum(group.column(i).num_values for group in groups for i in range(group.num_columns))
    unpacked = max(sum(group.total_byte_size for group in groups), values)
    if not metadata.num_rows:
        raise UserError("The file has no rows.", "It holds only column names.", "Choose a file with examples.")
    if unpacked > limits.max_bytes:
        raise _too_large(limits)
    return metadata.num_rows, max(unpacked, 8 * values) // metadata.num_rows


def _too_large(limits: ImportLimits) -> UserError:
    return UserError(
        "The Parquet file is too large when unpacked.",
        f"It holds more than {limits.max_bytes / 1e6:,.0f} MB, which is the limit.",
        "Choose a part of the data, or split it into several files.",
    )


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind)


def _decoded_bytes(array: pa.Array) -> int:
    if pa.types.is_dictionary(array.type) and _is_text(array.type.value_type):
        lengths = pc.binary_length(array.dictionary)
        return pc.sum(pc.take(lengths.cast(pa.int64()), array.indices)).as_py() or 0
    return array.nbytes


def _as_text(array: pa.Array, cleaned: LineNotes) -> pa.Array:
    """The values as strings without control characters, empty ones null."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_floating(array.type):
        array = pc.if_else(pc.is_finite(array), array, pa.scalar(None, array.type))
    whole = pa.types.is_floating(array.type) and pc.all(pc.equal(pc.floor(array), array), min_count=0).as_py()
    try:
        text = array.cast(pa.int64()).cast(pa.string()) if whole else array.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        text = pa.array([cell_text(value) or None for value in array.to_pylist()], pa.string())
    text = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
    if pc.any(pc.match_substring_regex(text, CONTROL_RE2)).as_py():
        values = text.to_pylist()
        clean = [value and (printable(value) or None) for value in values]
        for _ in range(sum(before != after for before, after in zip(values, clean, strict=True))):
            cleaned.add(None)
        text = pa.array(clean, pa.string())
    return text


def _notes(schema: pa.Schema, cleaned: LineNotes) -> list[ImportNote]:
    notes = [cleaned.about_control_characters("{cells}")] if cleaned.count else []
    nested = [field.name for field in schema if pa.types.is_nested(field.type)]
    if nested:
        notes.append(
            ImportNote(
                severity=Severity.INFO,
                title=f"{len(nested)} column{'s' * (len(nested) > 1)} with lists or records: {', '.join(nested[:5])}.",
                meaning="Their values are kept as JSON text.",
                count=len(nested),
            )
        )
    return notes


PLUGIN = Parquet()
