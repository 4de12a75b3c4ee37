"""A Parquet file that is written piece by piece, also where later pieces have further columns."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

GROUP_ROWS = 20_000
GROUP_BYTES = 16_000_000  # a page of rows on a screen decodes whole groups
LEAST_GROUP_ROWS = 50
ROWS_LOOKED_AT = 5_000


class ParquetPieces:
    """Writes to temporary files in `folder`, which are gone when the context ends unless one was given another name.

    A piece with new columns begins a new file; `whole` puts the files together, row group by row group, so that never
    more than one piece is in memory.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = 0
        self._files: list[Path] = []
        self._schema: pa.Schema | None = None
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._writer is not None:
                self._writer.close()
        except (OSError, pa.ArrowException):  # the disk is full, for example: the first error is the one to hear of
            if error is None:
                raise
        finally:
            for file in self._files:
                file.unlink(missing_ok=True)

    @property
    def columns(self) -> list[str]:
        return list(self._schema.names) if self._schema is not None else []

    def write(self, piece: pa.Table) -> None:
        if self._schema is None or not set(piece.column_names) <= set(self._schema.names):
            known = list(self._schema) if self._schema is not None else []
            new = [field for field in piece.schema if field.name not in self.columns]
            # What the first piece says about itself (the labels of predictions, for example) is kept; what pandas adds would
            # no longer fit the columns of all pieces.
            said = self._schema.metadata if self._schema is not None else piece.schema.metadata
            kept = {key: value for key, value in (said or {}).items() if key != b"pandas"}
            self._begin(pa.schema([*known, *new], metadata=kept or None), piece)
        assert self._writer is not None and self._schema is not None
        self._writer.write_table(_aligned(piece, self._schema), row_group_size=_group_rows(piece))
        self.rows += piece.num_rows

    def whole(self) -> Path:
        """The one file with all pieces, closed."""
        assert self._writer is not None, "nothing was written"
        self._writer.close()
        self._writer = None
        if len(self._files) > 1:
            parts = list(self._files)
            assert self._schema is not None
            with pq.ParquetFile(parts[-1]) as last:
                self._begin(self._schema, last.read_row_group(0))
            assert self._writer is not None
            for part in parts:
                with pq.ParquetFile(part) as file:
                    for group in range(file.num_row_groups):
                        piece = file.read_row_group(group)
                        self._writer.write_table(_aligned(piece, self._schema), row_group_size=_group_rows(piece))
            self._writer.close()
            self._writer = None
        return self._files[-1]

    def _begin(self, schema: pa.Schema, first: pa.Table) -> None:
        if self._writer is not None:
            self._writer.close()
        handle, name = tempfile.mkstemp(prefix=".part-", dir=self.folder)
        os.close(handle)
        self._files.append(Path(name))
        self._schema = schema
        # LZ4, and dictionaries for values that come again only: a search then takes two thirds of the time that it takes
        # with zstd and dictionaries for all, a page of scattered rows a third; the file is 1.7 times as large.
        self._writer = pq.ParquetWriter(name, schema, compression="lz4", use_dictionary=_repeating(first))


def _aligned(piece: pa.Table, schema: pa.Schema) -> pa.Table:
    """The piece with exactly these columns; those that it does not have are null."""
    have = set(piece.column_names)
    columns = [
        piece.column(field.name).cast(field.type) if field.name in have else pa.nulls(piece.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _repeating(piece: pa.Table) -> list[str]:
    """Columns of texts whose values come twice or more on average."""
    sample = piece.slice(0, ROWS_LOOKED_AT)
    texts = [f.name for f in sample.schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)]
    return [name for name in texts if 2 * pc.count_distinct(sample.column(name)).as_py() <= sample.num_rows]


def _group_rows(piece: pa.Table) -> int:
    bytes_a_row = max(1, piece.nbytes // max(piece.num_rows, 1))
    return max(LEAST_GROUP_ROWS, min(GROUP_ROWS, GROUP_BYTES // bytes_a_row))
