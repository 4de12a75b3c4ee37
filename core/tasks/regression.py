"""Regression: one text in, a number out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.data.numbers import has_comma, number
from core.schemas.examples import Example

from ._base import Role, Row, TaskType, cell, columns_of

COMMA = ","  # the detail of a column whose numbers have a decimal comma: `value:,`


class Regression(TaskType):
    key = "regression"
    order = 14
    title = "Give texts a number"
    help = "The model reads a text and says a number: a score, a rating, a grade."
    choose_when = "You have texts and a number for each, and being nearly right is better than being far off."
    roles = (
        Role("text", "Text", "The text that the model reads."),
        Role("value", "Number", "The right number for that text, in any unit."),
    )
    family = "regression"
    headline_metric = "mae"
    metrics = ("mae", "rmse", "r2", "spearman")

    def settled(self, roles: Mapping[str, str], rows: Iterable[Row]) -> dict[str, str]:
        """It is found out whether the numbers have a decimal comma: one cell by itself often cannot tell."""
        column = roles.get("value")
        if not column or not has_comma(row.get(column) for row in rows):
            return dict(roles)
        return {f"value:{COMMA}" if role == "value" else role: name for role, name in roles.items()}

    def to_example(self, row: Row, roles: Mapping[str, str], row_id: str) -> Example | None:
        detail, column = next(iter(columns_of(roles, "value")), ("", ""))
        text, value = cell(row, roles, "text").strip(), number(row.get(column) or "", comma=detail == COMMA)
        return Example(row_id=row_id, text=text, value=value) if text and value is not None else None


PLUGIN = Regression()
