"""Regression: one text in, a number out."""

from __future__ import annotations

from collections.abc import Mapping

from core.data.numbers import number
from core.schemas.examples import Example

from ._base import Role, Row, TaskType, cell


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

    def to_example(self, row: Row, roles: Mapping[str, str], row_id: str) -> Example | None:
        text, value = cell(row, roles, "text").strip(), number(cell(row, roles, "value"))
        return Example(row_id=row_id, text=text, value=value) if text and value is not None else None


PLUGIN = Regression()
