"""Read JSON without losing how numbers were written, and without NaN and Infinity, which no browser accepts."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from core.schemas.errors import UserError
from core.schemas.findings import Severity
from core.schemas.imports import ImportNote

from .tables import LineNotes

SPACE = re.compile(r"[ \t\r\n\ufeff]*")


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

    def values(self, text: JsonText) -> Iterator[Any]:
        """The items of an array, or the values that stand one after the other.

        Items are parsed one at a time from a window of the text, so neither a large array nor its text is ever held as
        a whole. Raises UserError with line and column where the text is broken.
        """
        if text.peek() != "[":
            while text.peek():
                yield self._parse(text)
            return
        text.skip(1)
        while text.peek() != "]":
            yield self._parse(text)
            mark = text.peek()
            if mark == ",":
                text.skip(1)
            elif mark != "]":
                raise text.broken()
        text.skip(1)
        if text.peek():
            raise text.broken()

    def notes(self) -> list[ImportNote]:
        if not self._not_finite.count:
            return []
        return [
            self._not_finite.note(
                Severity.WARNING,
                "NaN or Infinity was read as a missing value.",
                "JSON has no such numbers ({n} times" + (", {where})." if self._line else ")."),
            )
        ]

    def _parse(self, text: JsonText) -> Any:
        while True:
            try:
                value, end = self.decoder.raw_decode(text.window, text.place)
            except json.JSONDecodeError as error:
                ahead = error.pos - text.place
                if text.more():  # the value goes on beyond the window
                    continue
                raise text.broken(text.place + ahead) from None
            except RecursionError:
                raise UserError(
                    "The JSON is nested too deeply.",
                    "Its lists or records contain one another hundreds of times, which no data set needs.",
                    "Export the examples as a plain list of records.",
                ) from None
            if end == len(text.window) and text.more():  # a number may go on, too
                continue
            text.place = end
            return value

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


class JsonText:
    """A JSON text that comes in blocks, of which a window is held: from `place` on, as far as it was needed."""

    def __init__(self, blocks: Iterator[str]) -> None:
        self.window, self.place = "", 0
        self._blocks = blocks
        self._wanted = 1
        self._line, self._column = 1, 1  # of the first character of the window

    def more(self) -> bool:
        """Widen the window, each time twice as far, so that a long value is not parsed again too often. False where
        there is nothing more."""
        blocks = list(islice(self._blocks, self._wanted))
        self._wanted = min(2 * self._wanted, 256)
        self._line, self._column = self._at(self.place)
        self.window, self.place = self.window[self.place :] + "".join(blocks), 0
        return bool(blocks)

    def peek(self) -> str:
        """The next character that is no white space, which is skipped; empty at the end."""
        while True:
            found = SPACE.match(self.window, self.place)
            self.place = found.end() if found else self.place
            if self.place < len(self.window):
                self._wanted = 1
                return self.window[self.place]
            if not self.more():
                return ""

    def skip(self, characters: int) -> None:
        self.place += characters

    def broken(self, place: int | None = None) -> UserError:
        """Says that the text is broken at this place of the window, or ends there."""
        place = self.place if place is None else place
        line, column = self._at(place)
        excerpt = self.window[place : place + 30].strip()
        if place >= len(self.window.rstrip()) and not self.more():
            return UserError(
                "The JSON file ends too early.",
                f"It stops in line {line}, column {column}, before the list or record is closed.",
                "Download or export it again, then choose the new copy.",
            )
        return UserError(
            "The JSON file is broken.",
            f"Something is wrong in line {line}, column {column}: {excerpt!r}.",
            "Correct it there, or export the data again. If each line is a record of its own, name the file .jsonl.",
        )

    def _at(self, place: int) -> tuple[int, int]:
        before = self.window.count("\n", 0, place)
        if before:
            return self._line + before, place - self.window.rfind("\n", 0, place)
        return self._line, self._column + place
