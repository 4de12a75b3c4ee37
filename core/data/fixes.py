"""Mend a dataset: each fix turns a table into a new one, after a preview of what it would change. Nothing is in place.

A table is a DataFrame with a column `row_id`; `roles` maps a role (text, label, prompt, response, messages, ...) to its
column. Row ids survive every fix: rows are dropped or cells changed, never renumbered.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from pandas.api.types import is_string_dtype

from core.schemas.errors import UserError

from .checks._spelling import looks_unique, propose
from .checks.characters import CONTROL
from .duplicates import normalise
from .health_rows import filled, missing

Roles = Mapping[str, str]
Options = Mapping[str, Any]
SHOWN = 20  # changed cells that a preview lists
_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_BETWEEN_WORDS = re.compile(rf"(?<=\w){CONTROL.pattern}(?=\w)")


@dataclass(frozen=True)
class Change:
    """What a fix would do: rows to drop, and cells to change as `{column: {row_id: new text}}`."""

    drop: tuple[str, ...] = ()
    cells: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def row_ids(self) -> tuple[str, ...]:
        """The rows that are dropped or changed."""
        return tuple(dict.fromkeys([*self.drop, *(row for cells in self.cells.values() for row in cells)]))

    @property
    def count(self) -> int:
        return len(self.row_ids)


@dataclass(frozen=True)
class Fix:
    """One fix. `plan(table, roles, options)` says what it would do."""

    key: str
    title: str
    description: str
    plan: Callable[[pd.DataFrame, Roles, Options], Change]


@dataclass(frozen=True)
class Preview:
    """The counts a person sees before applying a fix; `examples` are changed cells as (row_id, before, after)."""

    rows_before: int
    rows_after: int
    rows_changed: int
    row_ids: tuple[str, ...]
    examples: tuple[tuple[str, str, str], ...]


def preview(key: str, table: pd.DataFrame, roles: Roles, options: Options | None = None) -> Preview:
    """What the fix would do to the table. Raises UserError for an unknown fix or options that make no sense."""
    change = _planned(key, table, roles, options)
    shown: list[tuple[str, str, str]] = []
    for column, cells in change.cells.items():
        before = dict(zip(table["row_id"].map(str), filled(table[column]), strict=True))
        shown += [(row, before[row], after) for row, after in list(cells.items())[:SHOWN]]
    return Preview(
        rows_before=len(table),
        rows_after=len(table) - len(change.drop),
        rows_changed=len({row for cells in change.cells.values() for row in cells}),
        row_ids=change.row_ids,
        examples=tuple(shown[:SHOWN]),
    )


def apply(key: str, table: pd.DataFrame, roles: Roles, options: Options | None = None) -> tuple[pd.DataFrame, int]:
    """The mended table (a new one, in the same order) and how many rows were dropped or changed."""
    change = _planned(key, table, roles, options)
    result = table.copy()
    ids = result["row_id"].map(str)
    for column, cells in change.cells.items():
        values = [cells.get(row, old) for row, old in zip(ids, result[column], strict=True)]
        kind = result[column].dtype
        result[column] = pd.Series(values, index=result.index, dtype=kind if is_string_dtype(kind) else "object")
    result = result[~ids.isin(set(change.drop))].reset_index(drop=True)
    return result, change.count


def _planned(key: str, table: pd.DataFrame, roles: Roles, options: Options | None) -> Change:
    fix = FIXES.get(key)
    if fix is None:
        known = ", ".join(FIXES)
        raise UserError("This fix does not exist.", f"There is none called {key!r}.", f"Choose one of: {known}.")
    return fix.plan(table, {role: c for role, c in roles.items() if c and c in table.columns}, options or {})


def _drop_empty(table: pd.DataFrame, roles: Roles, options: Options) -> Change:
    """`rows`: ids of further rows that could not become examples."""
    present = set(table["row_id"].map(str))
    unusable = [row for row in options.get("rows", ()) if row in present]
    return Change(drop=tuple(dict.fromkeys([*missing(table, roles), *unusable])))


def _drop_duplicates(table: pd.DataFrame, roles: Roles, options: Options) -> Change:
    """The first of each stays. `ignore_case_and_spaces` also drops copies that differ only in these."""
    loose = bool(options.get("ignore_case_and_spaces"))
    columns = [filled(table[c]).map(normalise if loose else _composed) for role, c in roles.items() if role != "label"]
    seen: set[tuple[str, ...]] = set()
    drop = []
    for row_id, label, *texts in zip(table["row_id"].map(str), _classes(table, roles), *columns, strict=True):
        if any(texts):
            key = (label, *texts)
            if key in seen:
                drop.append(row_id)
            seen.add(key)
    return Change(drop=tuple(drop))


def _drop_contradictions(table: pd.DataFrame, roles: Roles, options: Options) -> Change:
    """Every row of a text that carries two or more labels; spellings of one label are no contradiction."""
    text = filled(table[_column(roles, "text")]).map(normalise)
    _column(roles, "label")
    frame = pd.DataFrame({"row": table["row_id"].map(str), "text": text, "label": _classes(table, roles)})
    frame = frame[(frame["text"] != "") & (frame["label"] != "")]
    several = frame.groupby("text")["label"].transform("nunique") > 1
    return Change(drop=tuple(frame.loc[several, "row"]))


def _merge_labels(table: pd.DataFrame, roles: Roles, options: Options) -> Change:
    """`mapping`: spelling as written to the label it becomes; by default the merges that the health report proposes."""
    column = _column(roles, "label")
    labels = filled(table[column])
    mapping: Mapping[str, str] = options["mapping"] if "mapping" in options else _merged(labels)
    if any(not str(to).strip() for to in mapping.values()):
        raise UserError("A label cannot be empty.", "One would become blank.", "Give every group a name.")
    rows = zip(table["row_id"].map(str), labels, strict=True)
    return Change(cells={column: {row: mapping[x] for row, x in rows if mapping.get(x, x) != x}})


def _strip_whitespace(table: pd.DataFrame, roles: Roles, options: Options) -> Change:
    return _rewrite(table, [c for role, c in roles.items() if role != "messages"], str.strip)


def _remove_control_characters(table: pd.DataFrame, roles: Roles, options: Options) -> Change:
    """Terminal colour codes go as a whole; a code between two words leaves a space; conversations stay valid JSON."""
    change = _rewrite(table, [c for role, c in roles.items() if role != "messages"], _without_controls)
    if "messages" not in roles:
        return change
    column = roles["messages"]
    cells = _rewrite(table, [column], lambda text: _in_json(text, _without_controls)).cells
    return Change(cells={**change.cells, **cells})


def _rewrite(table: pd.DataFrame, columns: Sequence[str], new: Callable[[str], str]) -> Change:
    cells: dict[str, dict[str, str]] = {}
    for column in columns:
        rows = zip(table["row_id"].map(str), filled(table[column]), strict=True)
        changed = {row: after for row, text in rows if (after := new(text)) != text}
        if changed:
            cells[column] = changed
    return Change(cells=cells)


def _column(roles: Roles, role: str) -> str:
    if role not in roles:
        raise UserError("This fix does not fit the task.", f"It needs a column for the {role}.", "Choose another fix.")
    return roles[role]


def _merged(labels: pd.Series) -> dict[str, str]:
    """The merges that the health report proposes, as spelling to label."""
    counts = Counter(x for x in labels if x.strip())
    merges = [] if looks_unique(counts) else propose(counts)
    return {raw: merge.to for merge in merges for raw in merge.spellings}


def _classes(table: pd.DataFrame, roles: Roles) -> list[str]:
    """The class of each row with spellings merged; empty where the task has no labels or the row has none."""
    if "label" not in roles:
        return [""] * len(table)
    labels = filled(table[roles["label"]])
    merged = _merged(labels)
    return [merged.get(x, x) if x.strip() else "" for x in labels]


def _composed(text: str) -> str:
    """The text with e + accent as é: exact copies are equal in this."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _without_controls(text: str) -> str:
    if text.isprintable():
        return text
    text = _TERMINAL.sub("", text)
    return CONTROL.sub("", _BETWEEN_WORDS.sub(" ", text))


def _in_json(text: str, change: Callable[[str], str]) -> str:
    """The JSON text with every string in it changed; a text that is no JSON is changed as a whole."""

    def walk(value: Any) -> Any:
        if isinstance(value, str):
            return change(value)
        if isinstance(value, list):
            return [walk(item) for item in value]
        return {key: walk(item) for key, item in value.items()} if isinstance(value, dict) else value

    try:
        value = json.loads(text)
    except ValueError:
        return change(text)
    after = walk(value)
    return text if after == value else json.dumps(after, ensure_ascii=False)


FIXES: dict[str, Fix] = {
    fix.key: fix
    for fix in (
        Fix(
            "drop_empty",
            "Remove empty rows",
            "Removes rows where the text, the label or the answer is missing. They teach nothing.",
            _drop_empty,
        ),
        Fix(
            "drop_duplicates",
            "Remove copies, keep one of each",
            "Removes rows whose text and label came before. The same text with another label stays.",
            _drop_duplicates,
        ),
        Fix(
            "merge_labels",
            "Merge label spellings",
            "Gives every spelling of a label the same name.",
            _merge_labels,
        ),
        Fix(
            "drop_contradictions",
            "Remove contradicting rows",
            "Removes every row of a text that carries two or more different labels. To keep one, correct the labels "
            "in your file instead.",
            _drop_contradictions,
        ),
        Fix(
            "strip_whitespace",
            "Strip surrounding spaces",
            "Removes spaces and line breaks before and after texts and labels. Spaces inside stay.",
            _strip_whitespace,
        ),
        Fix(
            "remove_control_characters",
            "Remove control characters",
            "Removes invisible codes such as NUL, bell and terminal colours. Line breaks and tabs stay.",
            _remove_control_characters,
        ),
    )
}
