"""Read a number as people write it in a cell: with a decimal comma, signs of money, thousands, or its unit behind it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

# Only what cannot change the number: "5 k", "2 m" and "300 g" beside "2 kg" would be read wrongly without a word.
_MONEY = (
    "[$€£¥₹₽₩₺]|(?:EUR|USD|GBP|CHF|JPY|CNY|INR|RUB|SEK|NOK|DKK|PLN|CZK|HUF|CAD|AUD|NZD|BRL|MXN|ZAR|TRY|KRW|SGD|HKD)"
    "|(?i:euros?|dollars?|pounds?)"
)
_UNIT = r"[%★⭐]|(?i:stars?|sterne?|points?|punkte?|pts\.?|percent)"
_CELL = re.compile(
    rf"(?P<sign>[+-]?)\s*(?:{_MONEY})?\s*(?P<number>[+-]?\d[\d.,'’\s]*?|[+-]?[.,]\d+)"
    rf"(?P<power>[eE][+-]?\d+)?(?:,-{{1,2}}|,–)?\s*(?:{_MONEY}|{_UNIT})?"
)
_COMMA = re.compile(r"[+-]?\d*,(\d{1,2}|\d{4,})")  # with three digits behind it the comma may stand between thousands
_GROUPS = re.compile(r"([+-]?\d{1,3})((?P<between>[.,'’ ])\d{3}(?:(?P=between)\d{3})*)(?:(?P<point>[.,])(\d+))?")


_SURELY_COMMA = re.compile(r"\d*,(\d{1,2}|\d{4,})|0\d*,\d+|\d{1,3}(\.\d{3})+,\d+")
_SURELY_POINT = re.compile(r"(\d*|\d{1,3}(,\d{3})+)\.(\d{1,2}|\d{4,})|0\d*\.\d+|\d{1,3}(,\d{3}){2,}")
_POINTS = re.compile(r"[+-]?[1-9]\d{0,2}(\.\d{3})+")  # between the thousands, in a column with decimal commas
_SWAPPED = {ord("."): ",", ord(","): "."}


def number(text: str, *, comma: bool = False) -> float | None:
    """The number that a cell holds, None where it holds none or more than one.

    A decimal comma is read where it cannot mean thousands, or where the column is known to have one (`comma`). A point stands
    between thousands where a decimal comma (`1.250,50`) or a second point (`1.250.000`) shows it: `1.250` alone is one and a
    quarter.
    """
    found = _parts(text)
    if found is None:
        return None
    digits = found["number"].strip()
    if comma and ("," in digits or _POINTS.fullmatch(digits)):
        digits = digits.translate(_SWAPPED)
    try:
        value = float(f"{found['sign']}{_plain(digits)}{found['power'] or ''}")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def has_comma(cells: Iterable[str | None]) -> bool:
    """Whether these cells of a column tell that its numbers have a decimal comma: 0,875 can mean nothing else, 1,250 can."""
    found = [parts["number"].strip().lstrip("+-") for cell in cells if cell and (parts := _parts(cell))]
    return any(map(_SURELY_COMMA.fullmatch, found)) and not any(map(_SURELY_POINT.fullmatch, found))


def _parts(text: str) -> re.Match[str] | None:
    return _CELL.fullmatch(text.strip().replace("\u2212", "-").replace("\u00a0", " ").replace("\u202f", " "))


def _plain(digits: str) -> str:
    """Without what stands between thousands, and with a decimal point."""
    if _COMMA.fullmatch(digits):
        return digits.replace(",", ".")
    groups = _GROUPS.fullmatch(digits)
    if groups is None or groups["point"] == groups["between"]:
        return digits
    if groups["between"] == "." and not groups["point"] and digits.count(".") == 1:
        return digits
    return groups[1] + re.sub(r"\D", "", groups[2]) + (f".{groups[5]}" if groups["point"] else "")
