"""Where rows go while a file is read, piece by piece, and how many of them are wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pyarrow as pa

from core.schemas.imports import ImportLimits


@dataclass(frozen=True)
class Target:
    """`write` takes tables of string columns, one piece of the rows after the other; a later piece may have other
    columns. It may raise to end the reading. `limit_rows` is how many rows are wanted, None for all."""

    write: Callable[[pa.Table], None]
    limits: ImportLimits = field(default_factory=ImportLimits)
    limit_rows: int | None = None

    def full(self, rows: int) -> bool:
        """Whether so many rows are enough."""
        return self.limit_rows is not None and rows >= self.limit_rows


class Collected:
    """Keeps every piece in memory, for files that are small or read in part."""

    def __init__(self) -> None:
        self._pieces: list[pa.Table] = []

    def write(self, piece: pa.Table) -> None:
        self._pieces.append(piece)

    def table(self) -> pa.Table:
        """All rows; a column that a piece does not have is null there."""
        return pa.concat_tables(self._pieces, promote_options="default") if self._pieces else pa.table({})
