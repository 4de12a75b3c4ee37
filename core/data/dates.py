"""Dates and times as people write them, as seconds since 1970, for putting rows in order."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime

NAMED = (
    "%d %b %Y", "%d %B %Y", "%b %d %Y", "%B %d %Y", "%b %Y", "%B %Y", "%a %b %d %H:%M:%S %Y", "%d %b %Y %H:%M",
    "%d %b %Y %H:%M:%S",
)  # fmt: skip
_NUMBERS = re.compile(
    r"(\d{1,2})[./-](\d{1,2})[./-](\d{4}|\d{2})(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?(?: ?([ap])\.?m\.?)?", re.I
)
_YEAR_FIRST = re.compile(r"(\d{4})[./](\d{1,2})[./](\d{1,2})")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
YEARS = range(1900, 2101)


def parse_dates(values: Sequence[object]) -> list[float | None]:
    """One time a value, None where there is none. Times without a zone are taken to be UTC.

    Read are ISO 8601, 31.12.2024 and 12/31/2024 (which of the two numbers is the day is told from the whole column),
    dates with the month's name in English, years, and seconds or milliseconds since 1970.
    """
    texts = [value.strip() if isinstance(value, str) else "" for value in values]
    found = [_NUMBERS.fullmatch(text) for text in texts]
    month_first = any(m and int(m[2]) > 12 for m in found) or (
        # Where no day is above 12, points and dashes mean day first; slashes are American more often than not.
        any(m and "/" in m[0] for m in found) and not any(m and int(m[1]) > 12 for m in found)
    )
    return [_of_numbers(m, month_first) if m else _of_text(text) for m, text in zip(found, texts, strict=True)]


def _of_numbers(match: re.Match[str], month_first: bool) -> float | None:
    a, b, year = int(match[1]), int(match[2]), int(match[3])
    day, month = (b, a) if month_first else (a, b)
    hour = int(match[4] or 0)
    if match[7]:
        hour = hour % 12 + 12 * (match[7].lower() == "p")
    try:
        when = datetime(
            year if year > 99 else 2000 + year, month, day, hour, int(match[5] or 0), int(match[6] or 0), tzinfo=UTC
        )
    except ValueError:
        return None
    return when.timestamp()


def _of_text(text: str) -> float | None:
    if not text:
        return None
    if re.fullmatch(r"-?\d+(\.\d+)?", text):
        return _of_number(float(text))
    text = _YEAR_FIRST.sub(lambda m: f"{m[1]}-{int(m[2]):02}-{int(m[3]):02}", text)
    if match := _MONTH.fullmatch(text):
        text = f"{match[1]}-{match[2]}-01"
    try:
        return _stamp(datetime.fromisoformat(text))
    except ValueError:
        pass
    words = " ".join(text.replace(",", " ").replace(".", " ").split())
    for form in NAMED:
        try:
            return _stamp(datetime.strptime(words, form))
        except ValueError:
            continue
    return None


def _of_number(number: float) -> float | None:
    """A year, a day written as 20241231, or seconds or milliseconds since 1970."""
    if number in YEARS:
        return datetime(int(number), 1, 1, tzinfo=UTC).timestamp()
    if 19000101 <= number <= 21001231:
        try:
            return datetime.strptime(str(int(number)), "%Y%m%d").replace(tzinfo=UTC).timestamp()
        except ValueError:
            return None
    if 1e8 <= number < 1e10:
        return number
    return number / 1000 if 1e11 <= number < 1e13 and math.isfinite(number) else None


def _stamp(when: datetime) -> float:
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
