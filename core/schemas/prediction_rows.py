"""What the tables of predictions share: each row once, which rows belong together, and the way to Parquet and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from .errors import UserError


def refuse_repeats(row_ids: Iterable[str]) -> None:
    """Raises ValueError where a row was predicted twice."""
    seen: set[str] = set()
    for row_id in row_ids:
        if row_id in seen:
            raise ValueError(f"row {row_id!r} was predicted twice")
        seen.add(row_id)


def group_keys(groups: Iterable[str], items: Sequence[Any]) -> tuple[str, ...] | None:
    """Group keys with the row id where there is no group (the prefixes keep the two apart); None where all differ."""
    keys = tuple(f"g:{group}" if group else f"r:{item.row_id}" for group, item in zip(groups, items, strict=True))
    return None if len(set(keys)) == len(keys) else keys


def to_table(items: Sequence[Any], schema: pa.Schema) -> pa.Table:
    columns = {name: [getattr(item, name) for item in items] for name in schema.names}
    return pa.table(columns, schema=schema)


def rows_of(table: pa.Table, schema: pa.Schema) -> list[dict[str, Any]]:
    """Columns that are newer than the table are left to their defaults."""
    return list(table.select([name for name in schema.names if name in table.column_names]).to_pylist())


def not_numbers() -> UserError:
    return UserError(
        "The model's answers are not numbers.",
        "Its weights went out of range during training (NaN or infinity), so nothing it says can be measured.",
        "Train again with a learning rate three to ten times lower, or evaluate an earlier checkpoint.",
    )
