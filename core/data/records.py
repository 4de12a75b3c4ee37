"""Split delimited text into records, and recover after a broken quotation mark instead of swallowing what follows.

The csv module is run strictly: where it finds a stray quotation mark, only that one line is read literally, and the
lines that it had swallowed are read again.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from core.schemas.imports import Quoting

csv.field_size_limit(2**31 - 1)  # a cell may be as long as the file; the size of the file is limited elsewhere


class Record(NamedTuple):
    """`line` is the first line of the record, counted from 1. `broken`: its quotation marks could not be understood."""

    line: int
    cells: list[str]
    broken: bool


class _Lines:
    """Hands out lines, remembers those of the current record and can take all but the first of them back."""

    def __init__(self, lines: Iterable[str], first_line: int) -> None:
        self._lines = iter(lines)
        self._again: deque[str] = deque()
        self.next_line = first_line
        self.current: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.next_line += 1
        self.current.append(line)
        return line

    def take_back_all_but_first(self) -> str:
        self._again.extendleft(reversed(self.current[1:]))
        self.next_line -= len(self.current) - 1
        return self.current[0]


def iter_records(lines: Iterable[str], separator: str, quoting: Quoting, first_line: int = 1) -> Iterator[Record]:
    """Records of the lines (which keep their ends). A blank line gives a record without cells."""
    source = _Lines(lines, first_line)
    reader = _reader(source, separator, quoting, strict=True)
    while True:
        source.current = []
        line = source.next_line
        try:
            yield Record(line, next(reader), False)
        except StopIteration:
            return
        except csv.Error:
            several = len(source.current) > 1
            first = source.take_back_all_but_first()
            # A mark that swallowed lines belongs to the text; one followed by text was meant to enclose something.
            how: Quoting = "literal" if several or first.count('"') == 1 else quoting
            yield Record(line, next(_reader(iter([first]), separator, how, strict=False)), True)
            reader = _reader(source, separator, quoting, strict=True)


def _reader(lines: Iterator[str], separator: str, quoting: Quoting, strict: bool) -> Iterator[list[str]]:
    if quoting == "literal":
        return csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_NONE, strict=strict)
    if quoting == "backslash":
        return csv.reader(lines, delimiter=separator, doublequote=False, escapechar="\\", strict=strict)
    return csv.reader(lines, delimiter=separator, strict=strict)
