"""Preview a fix and apply it, alone or several as one step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from pandas.api.types import is_string_dtype
from pydantic import ValidationError

from core.discovery import discover
from core.schemas.base import Schema
from core.schemas.errors import UserError

from ..health_rows import filled
from ._fix import CHUNK_OF, Change, Edit, Fix, Preview, Roles, ShownRow

EDITS, ROWS = 20, 200  # changed cells and touched rows that a preview shows
Step = tuple[str, Mapping[str, Any]]


def find(key: str) -> Fix:
    """The fix with this key. Raises UserError where there is none."""
    fixes: dict[str, Fix] = discover(__package__ or "")
    if key not in fixes:
        raise UserError(
            "This fix does not exist.", f"There is none called {key!r}.", f"Choose one of: {', '.join(fixes)}."
        )
    return fixes[key]


def preview(
    key: str, table: pd.DataFrame, roles: Roles, options: Mapping[str, Any] | None = None, sample: int | None = None
) -> Preview:
    """What the fix would do to the table; with `sample`, to every n-th row so that at most so many are looked at.

    Raises UserError for an unknown fix or options that make no sense.
    """
    return preview_steps([(key, options or {})], table, roles, sample)


def preview_steps(steps: Sequence[Step], table: pd.DataFrame, roles: Roles, sample: int | None = None) -> Preview:
    """The same for several fixes that are applied as one."""
    total = len(table)
    if sample is not None and total > sample:
        table = table.iloc[:: -(-total // sample)].reset_index(drop=True)
    change = plan(steps, table, roles)
    added = sum(len(texts) - 1 for pieces in change.pieces.values() for texts in pieces.values())
    return Preview(
        rows_before=total,
        rows_after=total - len(change.drop) + added,
        rows_changed=len(change.changed),
        rows_dropped=len(change.drop),
        rows_cut=len(change.cut),
        rows_emptied=len({row for cells in change.cells.values() for row, text in cells.items() if not text.strip()}),
        looked_at=len(table),
        row_ids=change.row_ids,
        edits=_edits(change, table, roles),
        rows=_rows(change, table, roles),
    )


def apply(
    key: str, table: pd.DataFrame, roles: Roles, options: Mapping[str, Any] | None = None
) -> tuple[pd.DataFrame, int]:
    """The mended table (a new one, in the same order) and how many rows were dropped, changed or cut."""
    result, change = apply_steps([(key, options or {})], table, roles)
    return result, len(change.row_ids)


def apply_steps(steps: Sequence[Step], table: pd.DataFrame, roles: Roles) -> tuple[pd.DataFrame, Change]:
    """The same for several fixes that are applied as one, each planned on the table as it is now; and what was done."""
    change = plan(steps, table, roles)
    result = table.copy()
    ids = result["row_id"].map(str)
    for column, cells in change.cells.items():
        result[column] = _column(
            [cells.get(row, old) for row, old in zip(ids, result[column], strict=True)], result[column]
        )
    result = result[~ids.isin(set(change.drop))].reset_index(drop=True)
    for column, pieces in change.pieces.items():
        result = _cut(result, column, pieces)
    return result, change


def plan(steps: Sequence[Step], table: pd.DataFrame, roles: Roles) -> Change:
    """What the fixes would do together. A row that one of them drops is neither changed nor cut."""
    present = {role: column for role, column in roles.items() if column and column in table.columns}
    changes = []
    for key, options in steps:
        fix = find(key)
        _check_roles(fix, present)
        changes.append(fix.plan(table, present, _options(fix, options)))
    if len(changes) == 1:
        return changes[0]
    drop = tuple(dict.fromkeys(row for change in changes for row in change.drop))
    gone = set(drop)
    cells: dict[str, dict[str, str]] = defaultdict(dict)
    for change in changes:
        for column, texts in change.cells.items():
            cells[column] |= {row: text for row, text in texts.items() if row not in gone}
    pieces = {
        column: {row: texts for row, texts in cut.items() if row not in gone}
        for change in changes
        for column, cut in change.pieces.items()
    }
    return Change(drop=drop, cells={column: texts for column, texts in cells.items() if texts}, pieces=pieces)


def _check_roles(fix: Fix, roles: Roles) -> None:
    for role in sorted(fix.needs):
        if role not in roles:
            raise UserError(
                "This fix does not fit the task.", f"It needs a column for the {role}.", "Choose another fix."
            )


def _options(fix: Fix, given: Mapping[str, Any]) -> Schema:
    try:
        return fix.options.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"])) or fix.key
        said = str(first["msg"]).removeprefix("Value error, ")
        raise UserError(
            "This setting of the fix cannot be used.", f"{name}: {said}.", "Change it and try again."
        ) from None


def _column(values: list[Any], like: pd.Series) -> pd.Series:
    return pd.Series(values, index=like.index, dtype=like.dtype if is_string_dtype(like.dtype) else "object")


def _cut(table: pd.DataFrame, column: str, pieces: Mapping[str, tuple[str, ...]]) -> pd.DataFrame:
    """Each row of `pieces` in as many rows, one below the other: `ID.1`, `ID.2`, ...; the other cells are the same."""
    if not pieces:
        return table
    ids = table["row_id"].map(str).tolist()
    taken = set(ids)
    source, names, texts = [], [], []
    for place, (row, text) in enumerate(zip(ids, table[column], strict=True)):
        own = pieces.get(row)
        source += [place] * (len(own) if own else 1)
        names += _names(row, len(own), taken) if own else [row]
        texts += list(own) if own else [text]
    result = table.iloc[source].reset_index(drop=True)
    whole = result["row_id"].map(str).tolist()
    before = filled(result[CHUNK_OF]).tolist() if CHUNK_OF in result.columns else [""] * len(result)
    result["row_id"] = _column(names, result["row_id"])
    result[column] = _column(texts, result[column])
    # A piece of a piece belongs to the first row of all.
    of = [old or (row if row != name else None) for old, row, name in zip(before, whole, names, strict=True)]
    result[CHUNK_OF] = pd.Series(of, index=result.index, dtype="string")
    return result


def _names(row: str, count: int, taken: set[str]) -> list[str]:
    names: list[str] = []
    number = 0
    while len(names) < count:
        number += 1
        if (name := f"{row}.{number}") not in taken:
            names.append(name)
    taken.update(names)
    return names


def _edits(change: Change, table: pd.DataFrame, roles: Roles) -> tuple[Edit, ...]:
    """Changed cells, a few of every label."""
    after = {column: dict(cells) for column, cells in change.cells.items()}
    for column, pieces in change.pieces.items():
        after.setdefault(column, {}).update({row: "\n\n".join(texts) for row, texts in pieces.items()})
    labels = _labels(table, roles)
    found = []
    for column, cells in after.items():
        chosen = _of_every_label(cells, labels, EDITS)
        before = _texts(table, column, chosen)
        found += [Edit(row, labels.get(row, ""), column, before[row], cells[row]) for row in chosen]
    return tuple(sorted(found, key=lambda edit: edit.label)[: EDITS * 2])


def _rows(change: Change, table: pd.DataFrame, roles: Roles) -> tuple[ShownRow, ...]:
    """The touched rows, a share of every label, sorted by label."""
    labels = _labels(table, roles)
    chosen = _of_every_label(change.row_ids, labels, ROWS)
    shown = [roles[r] for r in ("text", "prompt", "messages", "response") if r in roles][:1]
    texts = _texts(table, shown[0], chosen) if shown else {}
    dropped, cut = set(change.drop), change.cut
    rows = [
        ShownRow(
            row,
            labels.get(row, ""),
            "dropped" if row in dropped else "cut" if row in cut else "changed",
            texts.get(row, ""),
        )
        for row in chosen
    ]
    return tuple(sorted(rows, key=lambda row: row.label))


def _labels(table: pd.DataFrame, roles: Roles) -> dict[str, str]:
    if "label" not in roles:
        return {}
    return dict(zip(table["row_id"].map(str), filled(table[roles["label"]]), strict=True))


def _texts(table: pd.DataFrame, column: str, rows: Iterable[str]) -> dict[str, str]:
    ids = table["row_id"].map(str)
    there = ids.isin(set(rows))
    return dict(zip(ids[there], filled(table.loc[there, column]), strict=True))


def _of_every_label(rows: Iterable[str], labels: Mapping[str, str], most: int) -> list[str]:
    """At most so many rows, in turn from every label, so that a rare one is seen too."""
    by_label: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        by_label[labels.get(row, "")].append(row)
    chosen: list[str] = []
    for turn in range(most):
        found = [group[turn] for group in by_label.values() if turn < len(group)]
        if not found or len(chosen) >= most:
            break
        chosen += found
    return chosen[:most]
