"""What a fix declares, and what it answers: the change that it would make, and what a person sees of it beforehand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from core.schemas.base import Schema

Roles = Mapping[str, str]
CHUNK_OF = "chunk_of"  # the column that names the row that a piece was cut from: pieces belong to one part of the split


@dataclass(frozen=True)
class Change:
    """What a fix would do: rows to drop, cells to change as `{column: {row_id: new text}}`, and rows to cut into pieces
    as `{column: {row_id: (first piece, second piece, ...)}}`. No row is in two of the three."""

    drop: tuple[str, ...] = ()
    cells: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    pieces: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    @property
    def changed(self) -> set[str]:
        """Rows with another text."""
        return {row for cells in self.cells.values() for row in cells}

    @property
    def cut(self) -> set[str]:
        """Rows that become several."""
        return {row for pieces in self.pieces.values() for row in pieces}

    @property
    def row_ids(self) -> tuple[str, ...]:
        """The rows that are dropped, changed or cut into pieces."""
        parts = [self.drop, *self.cells.values(), *self.pieces.values()]
        return tuple(dict.fromkeys(row for rows in parts for row in rows))


class NoOptions(Schema):
    """A fix with nothing to choose."""


@dataclass(frozen=True)
class Fix:
    """One fix. `plan(table, roles, options)` says what it would do; `options` is an instance of the fix's own model,
    whose fields give the form in the dialog, the bounds and the help.

    `needs` names the roles without which it makes no sense. `judges` says what it looks at, and with that how a large
    table is previewed: each row alone (a sample tells the share), the whole table in one pass (quick), or every row
    against all others (a sample shows the least there is). `in_menu` is False for a fix that only makes sense with rows
    that a finding or a queue names.
    """

    key: str
    title: str
    description: str
    plan: Callable[[pd.DataFrame, Roles, Any], Change]
    options: type[Schema] = NoOptions
    order: int = 100
    needs: frozenset[str] = frozenset()
    judges: Literal["rows", "table", "pairs"] = "rows"
    in_menu: bool = True

    def fits(self, roles: Roles) -> bool:
        """Whether the dataset has the columns that this fix works on."""
        return all(roles.get(role) for role in self.needs)


@dataclass(frozen=True)
class Edit:
    """One cell before and after; a row that is cut shows its pieces with an empty line between them."""

    row_id: str
    label: str
    column: str
    before: str
    after: str


@dataclass(frozen=True)
class ShownRow:
    """A row that a fix touches; `what` is dropped, changed or cut."""

    row_id: str
    label: str
    what: str
    text: str


@dataclass(frozen=True)
class Preview:
    """The counts a person sees before applying a fix, with examples sorted by label.

    `rows_emptied` of the changed rows have a cell with nothing left in it. `looked_at` of the `rows_before` rows were
    looked at; where it is less, the other counts are of these only.
    """

    rows_before: int
    rows_after: int
    rows_changed: int
    rows_dropped: int
    rows_cut: int
    rows_emptied: int
    looked_at: int
    row_ids: tuple[str, ...]
    edits: tuple[Edit, ...]
    rows: tuple[ShownRow, ...]

    @property
    def sampled(self) -> bool:
        return self.looked_at < self.rows_before
