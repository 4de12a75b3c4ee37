"""Read JSON without losing how numbers were written, and without NaN and Infinity, which no browser accepts."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from core.schemas.errors import UserError
from core.schemas.findings import Severity
from core.schemas.imports import ImportNote

from .tables import LineNotes


class WrittenFloat(float):
    """A number that remembers how it was written: 1.10 stays 1.10."""

    written: str

    def __new__(cls, written: str) -> WrittenFloat:
        number = super().__new__(cls, written)
        number.written = written
        return number

    def __str__(self) -> str:
        return self.written


class JsonReader:
    """Parses values and counts the literals that JSON does not have."""

    def __init__(self) -> None:
        self._line = 0
        self._not_finite = LineNotes()
        self.decoder = json.JSONDecoder(
            parse_float=self._float, parse_int=_integer, parse_constant=self._constant, strict=False
        )

    def record(self, text: str, line: int) -> dict[str, Any] | None:
        """The record on a line (a lone string becomes `{"text": …}`), or None where it is broken or no record."""
        self._line = line
        try:
            return as_record(self.decoder.decode(text))
        except (ValueError, RecursionError):
            return None

    def values(self, text: str) -> Iterator[Any]:
        """The items of an array, or the values that stand one after the other.

        Items are parsed one at a time, so a large array never exists as objects. Raises UserError with line and column
        where the text is broken.
        """
        place = _skip_space(text, 0)
        if text[place : place + 1] != "[":
            while place < len(text):
                value, place = self._parse(text, place)
                yield value
                place = _skip_space(text, place)
            return
        place = _skip_space(text, place + 1)
        while text[place : place + 1] != "]":
            value, place = self._parse(text, place)
            yield value
            place = _skip_space(text, place)
            if text[place : place + 1] == ",":
                place = _skip_space(text, place + 1)
            elif text[place : place + 1] != "]":
                raise _broken(text, place)
        if _skip_space(text, place + 1) < len(text):
            raise _broken(text, place + 1)

    def notes(self) -> list[ImportNote]:
        if not self._not_finite.count:
            return []
        return [self._not_finite.note(
            Severity.WARNING,
            "NaN or Infinity was read as a missing value.",
            "JSON has no such numbers ({n} times" + (", {where})." if self._line else ")."),
        )]

    def _parse(self, text: str, place: int) -> tuple[Any, int]:
        try:
            return self.decoder.raw_decode(text, place)
        except json.JSONDecodeError as error:
            raise _broken(text, error.pos) from None
        except RecursionError:
            raise UserError(
                "The JSON is nested too deeply.",
                "Its lists or records contain one another hundreds of times, which no data set needs.",
                "Export the examples as a plain list of records.",
            ) from None

    def _constant(self, _: str) -> None:
        self._not_finite.add(self._line or None)

    def _float(self, written: str) -> float | None:
        number = WrittenFloat(written)
        if math.isfinite(number):
            return number
        self._constant(written)
        return None


def as_record(value: Any) -> dict[str, Any] | None:
    """A record is a JSON object; a lone string is a text, and a list is a row of cells."""
    if isinstance(value, dict):
        return value
    if isinstance(value, str):
        return {"text": value}
    if isinstance(value, list) and value:
        return {f"column {place}": item for place, item in enumerate(value, start=1)}
    return None


def _integer(written: str) -> int | str:
    return int(written) if len(written) < 4_000 else written  # Python refuses to convert longer ones


def _skip_space(text: str, place: int) -> int:
    while place < len(text) and text[place] in " \t\r\n\ufeff":
        place += 1
    return place


def _broken(text: str, place: int) -> UserError:
    line = text.count("\n", 0, place) + 1
    column = place - (text.rfind("\n", 0, place) + 1) + 1
    if place >= len(text.rstrip()):
        return UserError(
            "The JSON file ends too early.",
            f"It stops in line {line}, column {column}, before the list or record is closed.",
            "Download or export it again, then choose the new copy.",
        )
    return UserError(
        "The JSON file is broken.",
        f"Something is wrong in line {line}, column {column}: {text[place : place + 30].strip()!r}.",
        "Correct it there, or export the data again. If each line is a record of its own, name the file .jsonl.",
    )
