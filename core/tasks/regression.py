"""Regression: one text in, a number out."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

from core.schemas.examples import Example

from ._base import Role, Row, TaskType, cell, columns_of

COMMA = ","  # the detail of a column whose numbers have a decimal comma: `value:,`
_COMMA = re.compile(r"[+-]?\d+,(\d{1,2}|\d{4,})")  # with three digits behind it the comma may stand between thousands
_SURELY_COMMA = re.compile(rf"{_COMMA.pattern}|[+-]?0\d*,\d+|[+-]?\d{{1,3}}(\.\d{{3}})+,\d+")
_SURELY_POINT = re.compile(r"[+-]?(\d*|\d{1,3}(,\d{3})+)\.(\d{1,2}|\d{4,})|[+-]?0\d*\.\d+|[+-]?\d{1,3}(,\d{3}){2,}")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")


def number(text: str, *, comma: bool = False) -> float | None:
    """The number that a cell holds, None where it holds none. A decimal comma is read where it cannot mean thousands, or where
    the column is known to have one (`comma`)."""
    plain = text.strip().replace("\u2212", "-")
    if comma:
        plain = plain.translate({ord("."): ",", ord(","): "."}) if "," in plain or _points(plain) else plain
    elif _COMMA.fullmatch(plain):
        plain = plain.replace(",", ".")
    try:
        value = float(plain.replace(",", "") if _THOUSANDS.fullmatch(plain) else plain)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _points(plain: str) -> bool:
    """Whether points stand between the thousands, in a column with decimal commas."""
    return re.fullmatch(r"[+-]?[1-9]\d{0,2}(\.\d{3})+", plain) is not None


def has_comma(cells: Iterable[str | None]) -> bool:
    """Whether these cells of a column tell that its numbers have a decimal comma: 0,875 can mean nothing else, 1,250 can."""
    written = [cell.strip().replace("\u2212", "-") for cell in cells if cell]
    return any(map(_SURELY_COMMA.fullmatch, written)) and not any(map(_SURELY_POINT.fullmatch, written))


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
