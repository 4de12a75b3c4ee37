"""Describe the columns of a table of strings: what kind of values they hold, how many are missing, some examples."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from core.schemas.imports import CELL_CHARACTERS_SHOWN, ColumnInfo, ColumnKind

from . import column_names

# No leading zeros: 0007 is a code, not a number.
NUMBER = re.compile(
    r"^\s*[-+]?((0|[1-9]\d*|[1-9]\d{0,2}([,.' ]\d{3})+)([.,]\d+)?|[.,]\d+)([eE][-+]?\d+)?\s*%?\s*$", re.ASCII
)
WHOLE_NUMBER = re.compile(r"^\s*[-+]?\d+(\.0+)?\s*$", re.ASCII)
DATE = re.compile(r"^\s*([12]\d{3}[-/.][01]?\d[-/.][0-3]?\d|[0-3]?\d[-/.][0-3]?\d[-/.][12]\d{3})([T ].*)?$", re.ASCII)
DIGIT = re.compile(r"\d")
NAMES_FOR_NOTHING = ("na", "n/a", "nan", "null", "none", "nil", "#n/a")
FEW_NUMBERS = 20
CATEGORY_CHARACTERS = 50
CATEGORY_WORDS = 5
ROWS_PARSED = 50
ROWS_SAMPLED = 5_000
HASHES_KEPT = 1_000_000
_NOTHING = pa.array(NAMES_FOR_NOTHING)


def describe_columns(table: pa.Table) -> tuple[ColumnInfo, ...]:
    """One description a column, in order."""
    running = RunningColumns()
    running.add(table)
    return running.columns()


class RunningColumns:
    """Describes a table that comes piece by piece, holding only its first `ROWS_SAMPLED` rows.

    Numbers are of all rows; different values are counted by their hash, from about a million on as an estimate
    (`_Distinct`). The kind of a column is judged by its first values.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.placeholders: dict[str, int] = {}
        self._pieces: list[pa.Table] = []
        self._held = 0
        self._counts: dict[str, _Counted] = {}
        self._names: dict[str, None] = {}

    def add(self, piece: pa.Table) -> None:
        self._names.update(dict.fromkeys(piece.column_names))
        before, self.rows = self.rows, self.rows + piece.num_rows
        if self.rows > ROWS_SAMPLED:  # fewer rows are counted faster without Arrow
            for held in self._pieces if before <= ROWS_SAMPLED else []:
                self._count(held)
            self._count(piece)
        if self._held < ROWS_SAMPLED:
            self._pieces.append(piece.slice(0, ROWS_SAMPLED - self._held) if self.rows > ROWS_SAMPLED else piece)
            self._held += self._pieces[-1].num_rows
        for name in piece.column_names:
            hits = pc.sum(pc.is_in(pc.utf8_lower(piece.column(name)), _NOTHING)).as_py()
            if hits:
                self.placeholders[name] = self.placeholders.get(name, 0) + hits

    def sample(self) -> pa.Table:
        """The first rows, with every column that was seen."""
        table = pa.concat_tables(self._pieces, promote_options="default") if self._pieces else pa.table({})
        there = set(table.column_names)  # Arrow makes the list anew each time it is asked
        for name in self._names:
            if name not in there:
                table = table.append_column(name, pa.nulls(table.num_rows, pa.string()))
        return table

    def columns(self) -> tuple[ColumnInfo, ...]:
        """One description a column, in the order in which they were seen."""
        sample = self.sample()
        return tuple(self._describe(name, sample.column(name)) for name in sample.column_names)

    def _count(self, piece: pa.Table) -> None:
        for name in piece.column_names:
            self._counts.setdefault(name, _Counted()).add(piece.column(name))

    def _describe(self, name: str, column: pa.ChunkedArray) -> ColumnInfo:
        sample = [value for value in column.to_pylist() if value and value.strip()]
        if self.rows <= ROWS_SAMPLED:
            count, distinct = len(sample), len(set(sample))
            mean_length = sum(map(len, sample)) / max(count, 1)
        else:
            counted = self._counts.get(name, _Counted())
            count, distinct, mean_length = counted.filled, counted.distinct.estimate(), counted.mean_length()
            sample = sample or counted.first
        return ColumnInfo(
            name=name,
            kind=_kind(name, sample, count, distinct, mean_length) if count else ColumnKind.EMPTY,
            n_missing=self.rows - count,
            n_distinct=distinct,
            mean_length=round(mean_length, 1),
            examples=tuple(shorten(value) for value in list(dict.fromkeys(sample[:100]))[:3]),
        )


class _Counted:
    """Of one column: cells with more than white space, their characters, the different ones, and the first ones."""

    def __init__(self) -> None:
        self.filled = self._characters = 0
        self.distinct = _Distinct()
        self.first: list[str] = []

    def add(self, column: pa.ChunkedArray) -> None:
        cells = column.drop_null()
        blank = pc.equal(pc.utf8_trim_whitespace(cells), "")
        if pc.any(blank, min_count=0).as_py():
            cells = cells.filter(pc.invert(blank))
        self.filled += len(cells)
        self._characters += pc.sum(pc.utf8_length(cells)).as_py() or 0
        self.distinct.add(cells)
        if len(self.first) < ROWS_SAMPLED:
            self.first += cells.slice(0, ROWS_SAMPLED - len(self.first)).to_pylist()

    def mean_length(self) -> float:
        return self._characters / max(self.filled, 1)


class _Distinct:
    """Counts different texts by their hashes: exactly up to `HASHES_KEPT`, then among a share of the hashes that is
    halved each time they are too many (adaptive sampling, Flajolet 1990, doi:10.1007/BF02241657; about 0.1% wrong)."""

    def __init__(self) -> None:
        self._kept: set[int] = set()
        self._halvings = 0

    def add(self, cells: pa.ChunkedArray) -> None:
        found = map(hash, pc.unique(cells).to_pylist())
        if self._halvings:
            mask = (1 << self._halvings) - 1
            found = (value for value in found if not value & mask)  # type: ignore[assignment]
        self._kept.update(found)
        while len(self._kept) > HASHES_KEPT:
            self._halvings += 1
            mask = (1 << self._halvings) - 1
            self._kept = {value for value in self._kept if not value & mask}

    def estimate(self) -> int:
        return len(self._kept) << self._halvings


def shorten(text: str, characters: int = CELL_CHARACTERS_SHOWN) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"


def _kind(name: str, sample: list[str], count: int, distinct: int, mean_length: float) -> ColumnKind:
    """Judged by the name and by the first values."""
    repeats = 2 * distinct <= count
    structured = _structured_kind(sample[:ROWS_PARSED])
    if structured is not None:
        return structured
    if _all_match(DATE, sample):
        return ColumnKind.DATE
    named_label = column_names.plain_name(name) in column_names.LABEL
    if _all_match(NUMBER, sample):
        whole = _all_match(WHOLE_NUMBER, sample)
        if whole and distinct <= FEW_NUMBERS and (repeats or named_label):
            return ColumnKind.CATEGORY
        return ColumnKind.IDENTIFIER if whole and distinct == count > FEW_NUMBERS else ColumnKind.NUMBER
    if column_names.plain_name(name) in column_names.TEXT:
        return ColumnKind.TEXT
    words = sum(len(value.split()) for value in sample) / len(sample)
    if mean_length <= CATEGORY_CHARACTERS and words <= CATEGORY_WORDS:
        if repeats or named_label:
            return ColumnKind.CATEGORY
        if words < 1.1 and _all_match(DIGIT, sample):
            return ColumnKind.IDENTIFIER
    return ColumnKind.TEXT


def _all_match(pattern: re.Pattern[str], values: Sequence[str]) -> bool:
    return all(pattern.search(value) for value in values)


def _structured_kind(values: list[str]) -> ColumnKind | None:
    """Conversation where nearly all values are lists of turns (or one turn), structure where they are other JSON."""
    if not all(value.lstrip()[:1] in ("[", "{") for value in values):
        return None
    try:
        parsed = [json.loads(value) for value in values]
    except (ValueError, RecursionError):
        return None
    turns = sum(is_conversation(value) for value in parsed)
    return ColumnKind.CONVERSATION if turns >= 0.9 * len(parsed) else ColumnKind.STRUCTURE


def is_conversation(value: Any) -> bool:
    """A list of turns as OpenAI (`role`, `content`) or ShareGPT (`from`, `value`) writes them, or one such turn."""
    turns = value if isinstance(value, list) else [value]
    return bool(turns) and all(
        isinstance(turn, dict) and ({"role", "content"} <= turn.keys() or {"from", "value"} <= turn.keys())
        for turn in turns
    )
