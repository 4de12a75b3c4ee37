"""Regression: one text in, a number out."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from core.schemas.examples import Example

from ._base import Role, Row, TaskType, cell

_COMMA = re.compile(r"[+-]?\d+,(\d{1,2}|\d{4,})")  # with three digits behind it the comma may stand between thousands


def number(text: str) -> float | None:
    """The number that a cell holds, None where it holds none. A decimal comma is read where it cannot mean thousands."""
    plain = text.strip().replace("\u2212", "-")
    if _COMMA.fullmatch(plain):
        plain = plain.replace(",", ".")
    try:
        value = float(plain.replace(",", "") if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", plain) else plain)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


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
