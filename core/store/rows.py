"""Pages of a kept table, filtered and sorted, without ever holding the whole table: DuckDB reads the Parquet file.

A filter is answered once with the numbers of the rows that fit, in their order; those numbers are remembered, so that
turning pages and counting cost nothing more. No SQL comes from people: values are parameters, and a column's name has to
be one of the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .files import table_path

Order = Literal["file", "shortest", "longest"]
FILTERS_REMEMBERED = 8  # 4 bytes a row that fits
NUMBER = "file_row_number"
THREADS = 4
MEMORY = "512MB"


@dataclass(frozen=True)
class RowFilter:
    """Which rows, in which order. `search` is found in any of `columns`, whatever the case of its letters. `equal` are pairs
    of a column and its value, None where nothing is written. The order by length is that of the first column, in bytes."""

    search: str = ""
    columns: tuple[str, ...] = ()
    equal: tuple[tuple[str, str | None], ...] = ()
    order: Order = "file"

    @property
    def everything(self) -> bool:
        """Whether it is all rows as they stand in the file."""
        return not self.search.strip() and not self.equal and self.order == "file"


def columns(digest: str) -> list[str]:
    """Names of the columns."""
    return list(_metadata(digest)[0])


def count(digest: str, wanted: RowFilter) -> int:
    """How many rows fit."""
    return _metadata(digest)[1] if wanted.everything else len(_numbers(digest, wanted))


def page(digest: str, wanted: RowFilter, offset: int, limit: int, columns: Sequence[str] | None = None) -> pa.Table:
    """Rows `offset` to `offset + limit` of those that fit, with these columns (default: all)."""
    names, rows = _metadata(digest)
    shown = list(columns) if columns is not None else list(names)
    chosen = ", ".join(_quoted(digest, name) for name in shown)
    if wanted.everything:
        last = min(offset + limit, rows) - 1
        table = _ask(
            digest, f"SELECT {chosen} FROM rows WHERE {NUMBER} BETWEEN ? AND ? ORDER BY {NUMBER}", [offset, last]
        )
        return table.select(shown)
    numbers = _numbers(digest, wanted)[offset : offset + limit].tolist()
    if not numbers:
        return _ask(digest, f"SELECT {chosen} FROM rows WHERE {NUMBER} < 0", [])
    marks = ", ".join("?" * len(numbers))
    table = _ask(digest, f"SELECT {chosen}, {NUMBER} AS _place FROM rows WHERE {NUMBER} IN ({marks})", numbers)
    place = {number: i for i, number in enumerate(table.column("_place").to_pylist())}
    return table.take([place[number] for number in numbers if number in place]).select(shown)


def values(digest: str, column: str, most: int = 200) -> list[tuple[str | None, int]]:
    """The most frequent values of a column, each with its number of rows."""
    name = _quoted(digest, column)
    asked = f"SELECT {name} AS value, count(*) AS n FROM rows GROUP BY 1 ORDER BY n DESC, value LIMIT ?"
    table = _ask(digest, asked, [most])
    return list(zip(table.column("value").to_pylist(), table.column("n").to_pylist(), strict=True))


@lru_cache(maxsize=FILTERS_REMEMBERED)
def _numbers(digest: str, wanted: RowFilter) -> np.ndarray:
    """Numbers of the rows that fit, in the order that is wanted."""
    conditions, given = [], []
    if wanted.search.strip():
        columns = [_quoted(digest, name) for name in wanted.columns]
        conditions.append("(" + " OR ".join(f"contains(lower({name}), ?)" for name in columns) + ")")
        given += [wanted.search.strip().lower()] * len(columns)
    for name, value in wanted.equal:
        conditions.append(f"{_quoted(digest, name)} IS NOT DISTINCT FROM ?")
        given.append(value)  # type: ignore[arg-type]
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    if wanted.order == "file":
        found = _ask(digest, f"SELECT {NUMBER}::INTEGER AS n FROM rows {where} ORDER BY n", given)
        return found.column("n").to_numpy()
    length = f"coalesce(strlen({_quoted(digest, wanted.columns[0])}), 0)::INTEGER"
    found = _ask(digest, f"SELECT {NUMBER}::INTEGER AS n, {length} AS length FROM rows {where} ORDER BY n", given)
    lengths = found.column("length").to_numpy()
    # Stable, so that texts of one length stay in the order of the file.
    order = np.argsort(-lengths if wanted.order == "longest" else lengths, kind="stable")
    return found.column("n").to_numpy()[order]


def _quoted(digest: str, name: str) -> str:
    if name not in _metadata(digest)[0]:
        raise ValueError(f"no such column: {name!r}")
    return '"' + name.replace('"', '""') + '"'


@lru_cache(maxsize=64)
def _metadata(digest: str) -> tuple[tuple[str, ...], int]:
    metadata = pq.read_metadata(table_path(digest))
    return tuple(metadata.schema.to_arrow_schema().names), metadata.num_rows


@lru_cache(maxsize=1)
def _database() -> duckdb.DuckDBPyConnection:
    settings: dict[str, str | bool | int | float | list[str]] = {
        "threads": THREADS,
        "memory_limit": MEMORY,
        "autoinstall_known_extensions": False,
    }
    database = duckdb.connect(":memory:", config=settings)
    database.execute("SET parquet_metadata_cache = true")  # a file never changes under its name
    database.execute("SET temp_directory = ''")  # nothing is written beside the storage
    return database


def _ask(digest: str, query: str, given: Sequence[Any]) -> pa.Table:
    source = f"WITH rows AS (SELECT * FROM read_parquet(?, {NUMBER} = true)) "
    with _database().cursor() as cursor:  # each thread of the dashboard needs one of its own
        found = cursor.execute(source + query, [str(table_path(digest)), *given]).arrow()
        return found.read_all() if isinstance(found, pa.RecordBatchReader) else found
