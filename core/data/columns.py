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
DATE = re.compile(
    r"^\s*([12]\d{3}[-/.][01]?\d[-/.][0-3]?\d|[0-3]?\d[-/.][0-3]?\d[-/.][12]\d{3})([T ].*)?$", re.ASCII
)
DIGIT = re.compile(r"\d")
NAMES_FOR_NOTHING = ("na", "n/a", "nan", "null", "none", "nil", "#n/a")
FEW_NUMBERS = 20
CATEGORY_CHARACTERS = 50
CATEGORY_WORDS = 5
ROWS_PARSED = 50
ROWS_SAMPLED = 5_000


def describe_columns(table: pa.Table) -> tuple[ColumnInfo, ...]:
    """One description a column, in order."""
    return tuple(_describe(name, table.column(name)) for name in table.column_names)


def placeholder_counts(table: pa.Table) -> dict[str, int]:
    """Columns in which some cells hold a word such as "NA" or "null" instead of nothing, and how many."""
    found = {}
    for name in table.column_names:
        hits = pc.sum(pc.is_in(pc.utf8_lower(table.column(name)), pa.array(NAMES_FOR_NOTHING))).as_py()
        if hits:
            found[name] = hits
    return found


def shorten(text: str, characters: int = CELL_CHARACTERS_SHOWN) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"


def _describe(name: str, column: pa.ChunkedArray) -> ColumnInfo:
    sample = [value for value in column.slice(0, ROWS_SAMPLED).to_pylist() if value and value.strip()]
    if len(column) <= ROWS_SAMPLED:  # many columns are described faster without Arrow
        count, distinct = len(sample), len(set(sample))
        mean_length = sum(map(len, sample)) / max(count, 1)
    else:
        count, distinct, mean_length = _count(column)
        sample = sample or [value for value in column.drop_null().slice(0, ROWS_SAMPLED).to_pylist() if value.strip()]
        count = count if sample else 0
    return ColumnInfo(
        name=name,
        kind=_kind(name, sample, count, distinct, mean_length) if count else ColumnKind.EMPTY,
        n_missing=len(column) - count,
        n_distinct=distinct,
        mean_length=round(mean_length, 1),
        examples=tuple(shorten(value) for value in list(dict.fromkeys(sample[:100]))[:3]),
    )


def _count(column: pa.ChunkedArray) -> tuple[int, int, float]:
    """Cells with more than white space, different values among them, and their mean length; chunk by chunk, because a
    trimmed copy of a whole column of texts would be as large as the column."""
    filled = characters = 0
    blanks: set[str] = set()
    for chunk in column.chunks:
        chunk = chunk.drop_null()
        blank = pc.equal(pc.utf8_trim_whitespace(chunk), "")
        blank_values = chunk.filter(blank).to_pylist()
        blanks.update(blank_values)
        filled += len(chunk) - len(blank_values)
        characters += (pc.sum(pc.utf8_length(chunk)).as_py() or 0) - sum(map(len, blank_values))
    distinct = pc.count_distinct(column).as_py() - len(blanks)
    return filled, distinct, characters / max(filled, 1)


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
