"""Why a row of a table cannot become an example: which part that its task needs is missing."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

OPTIONAL = frozenset({"context", "system", "labels"})  # roles that may be empty
ANSWERS = frozenset({"label", "labels", "value"})  # roles of what is right, which the model does not read
PARTS = {
    "text": "text", "label": "label", "value": "number", "prompt": "question", "response": "answer", "messages": "conversation",
}  # fmt: skip


def role_of(key: str) -> str:
    """The role of a key of a dataset's roles, which may carry a detail (`labels:;`)."""
    return key.partition(":")[0]


def filled(column: pd.Series) -> pd.Series:
    """The cells as text; missing ones empty."""
    return column.astype("object").where(column.notna(), "").map(str)


def missing(table: pd.DataFrame, roles: Mapping[str, str]) -> dict[str, str]:
    """`{row_id: reason}` of the rows where a column that the task needs is blank, in the order of the table.

    `roles` maps a role to its column; the table has a column `row_id`.
    """
    reasons = pd.Series("", index=table.index, dtype="object")
    for role, column in roles.items():
        if not column or role_of(role) in OPTIONAL or column not in table.columns:
            continue
        blank = filled(table[column]).str.strip() == ""
        reasons = reasons.mask(blank & (reasons == ""), f"no {PARTS.get(role_of(role), role)}")
    found = reasons != ""
    return dict(zip(table.loc[found, "row_id"].map(str), reasons[found], strict=True))


def reason_of(row: Mapping[str, str | None], roles: Mapping[str, str]) -> str:
    """Why this row (column to cell) could not become an example."""
    for role, column in roles.items():
        if column and role_of(role) not in OPTIONAL and not (row.get(column) or "").strip():
            return f"no {PARTS.get(role_of(role), role)}"
    if any(role_of(role) == "value" and column for role, column in roles.items()):
        return "no number"
    return "no conversation with an answer" if roles.get("messages") else "nothing to learn from"
