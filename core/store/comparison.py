"""What differs between two kept tables, matched by row id: counted and sampled straight from their Parquet files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import pandas as pd
import pyarrow.parquet as pq

from .files import folder

ROWS, CELLS = 500, 1_000  # whole rows and changed cells of one column that are kept to be shown
_THREADS = 2


@dataclass(frozen=True)
class Compared:
    """Counts are of all rows; the frames hold the first of them in the order of the file. `cells` has the columns row_id,
    column, before and after; `values` the rows of each value of the counted column, before and after."""

    dropped_rows: int
    added_rows: int
    changed_rows: int
    changed_cells: Mapping[str, int]
    dropped: pd.DataFrame
    added: pd.DataFrame
    cells: pd.DataFrame
    values: Mapping[str, tuple[int, int]]


def compare(earlier: str, later: str, key: str, counted: str = "") -> Compared:
    """Compare two tables by their content hashes. A column that one of them lacks counts as empty there."""
    paths = [folder("tables") / f"{digest}.parquet" for digest in (earlier, later)]
    names = [pq.read_schema(path).names for path in paths]
    columns = [c for c in dict.fromkeys([*names[0], *names[1]]) if c != key]
    with duckdb.connect() as base:
        base.execute(f"SET threads = {_THREADS}")
        for view, path in zip(("a", "b"), paths, strict=True):
            place = str(path).replace("'", "''")
            base.execute(f"CREATE VIEW {view} AS SELECT * FROM read_parquet('{place}', file_row_number = true)")
        pairs = {c: (_cell("a", c, names[0]), _cell("b", c, names[1])) for c in columns}
        both = f"a JOIN b ON a.{_quoted(key)} = b.{_quoted(key)}"
        differs = {c: f"{left} <> {right}" for c, (left, right) in pairs.items()}
        asked = [f"count(*) FILTER (WHERE {test})" for test in differs.values()]
        anything = " OR ".join(differs.values()) or "false"
        asked = ["count(*)", f"count(*) FILTER (WHERE {anything})", *asked]
        matched, changed, *by_column = _row(base, f"SELECT {', '.join(asked)} FROM {both}")
        changed_cells = {c: n for c, n in zip(columns, by_column, strict=True) if n}
        cells = [
            _frame(
                base,
                f'SELECT a.{_quoted(key)} AS row_id, ? AS "column", {pairs[c][0]} AS before, {pairs[c][1]} AS after '
                f"FROM {both} WHERE {differs[c]} ORDER BY a.file_row_number LIMIT {CELLS}",
                [c],
            )
            for c in changed_cells
        ]
        rows = [_row(base, f"SELECT count(*) FROM {view}")[0] for view in ("a", "b")]
        return Compared(
            dropped_rows=rows[0] - matched,
            added_rows=rows[1] - matched,
            changed_rows=changed,
            changed_cells=changed_cells,
            dropped=_only_in(base, "a", "b", key),
            added=_only_in(base, "b", "a", key),
            cells=pd.concat(cells, ignore_index=True) if cells else pd.DataFrame(),
            values=_values(base, counted, names),
        )


def _only_in(base: Any, view: str, other: str, key: str) -> pd.DataFrame:
    """The first rows of one table that the other one does not have."""
    name = _quoted(key)
    return _frame(
        base,
        f"SELECT {view}.* EXCLUDE (file_row_number) FROM {view} ANTI JOIN {other} ON {view}.{name} = {other}.{name} "
        f"ORDER BY {view}.file_row_number LIMIT {ROWS}",
    )


def _values(base: Any, column: str, names: list[list[str]]) -> dict[str, tuple[int, int]]:
    counts: list[dict[str, int]] = []
    for view, known in zip(("a", "b"), names, strict=True):
        cell = _cell(view, column, known)
        found = base.execute(f"SELECT {cell}, count(*) FROM {view} GROUP BY 1").fetchall() if column in known else []
        counts.append({str(value): int(n) for value, n in found if str(value).strip()})
    before, after = counts
    every = sorted({*before, *after}, key=lambda v: (-before.get(v, 0) - after.get(v, 0), v))
    return {value: (before.get(value, 0), after.get(value, 0)) for value in every}


def _cell(view: str, column: str, known: list[str]) -> str:
    return f"coalesce({view}.{_quoted(column)}::VARCHAR, '')" if column in known else "''"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _row(base: Any, query: str) -> tuple[int, ...]:
    return tuple(int(n) for n in base.execute(query).fetchone())


def _frame(base: Any, query: str, values: list[str] | None = None) -> pd.DataFrame:
    """Through Arrow, so that texts of any kind arrive as they are kept."""
    return base.execute(query, values or []).to_arrow_table().to_pandas()
