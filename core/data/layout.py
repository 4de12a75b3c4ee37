"""Work out how a delimited text is laid out: separator, quotation marks, lines above the table, and column names."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from core.schemas.imports import ImportOptions, Quoting

from . import column_names
from .records import Record, iter_records

SEPARATORS = (",", "\t", ";", "|")
NO_SEPARATOR = "\x1f"  # a control character, which is taken out of every text that is read
LINES_TRIED = 1_000
EXCEL_HINT = re.compile(r'^"?sep=(.)"?\s*$', re.IGNORECASE)
NUMBER = re.compile(r"^\s*[-+]?(\d+([.,]\d+)*|[.,]\d+)([eE][-+]?\d+)?\s*%?\s*$")
SENTENCE_END = re.compile(r"[.!?;:,，。！？；：]")


@dataclass(frozen=True)
class Layout:
    """`width` is the usual number of cells, `consistency` the share of rows that have it (0 to 1)."""

    separator: str
    quoting: Quoting
    skip_lines: int
    has_header: bool
    width: int
    consistency: float


def detect_layout(sample: str, whole: bool, given: ImportOptions) -> Layout:
    """The layout of a text, of which `sample` is the beginning (`whole`: all of it). What is given is kept."""
    lines = list(io.StringIO(sample, newline=""))
    if not whole and len(lines) > 1:
        lines.pop()  # cut in the middle
    hint = EXCEL_HINT.match(lines[0]) if lines else None
    start = given.skip_lines if given.skip_lines is not None else int(hint is not None)
    lines = lines[start:]
    candidates = (given.separator,) if given.separator else (hint[1],) if hint else SEPARATORS
    first = lines[:LINES_TRIED]
    tried = [_try_separator(first, separator, given.quoting) for separator in candidates]
    best = max(tried, key=lambda found: found.score)
    single = best.score < 0.5 and not given.separator and not hint
    # A single column has no separator: any that does not occur keeps the commas of its sentences.
    separator = next((s for s in SEPARATORS if s not in sample), NO_SEPARATOR) if single else best.separator
    quoting = given.quoting or _detect_quoting(lines, separator, whole)
    if single or quoting != best.quoting:
        best = _try_separator(first, separator, quoting, single)
    skip = 0 if given.skip_lines is not None else _lines_above(best)
    records = [r for r in best.records if r.line > skip and r.cells]
    body = [r.cells for r in records[1:] if len(r.cells) == len(records[0].cells)]
    if given.has_header is not None:
        header = given.has_header
    else:
        header = bool(records) and looks_like_header(records[0].cells, body)
    return Layout(best.separator, best.quoting, start + skip, header, best.width, best.share)


@dataclass(frozen=True)
class _Attempt:
    separator: str
    quoting: Quoting
    records: list[Record]
    width: int
    share: float
    score: float


def _try_separator(lines: list[str], separator: str, chosen: Quoting | None, single_column: bool = False) -> _Attempt:
    quoting = chosen or _detect_quoting(lines, separator, whole=False)
    records = list(iter_records(lines, separator, quoting))
    counts = Counter(len(r.cells) for r in records if r.cells)
    if not counts or single_column:
        return _Attempt(separator, quoting, records, 1, 1.0, 0.0)
    rows = sum(counts.values())
    often, width = max(((count, width) for width, count in counts.items() if width > 1), default=(0, 1))
    share = often / rows
    cells = [cell for r in records if len(r.cells) > 1 for cell in r.cells[1:]]
    spaced = sum(cell.startswith(" ") for cell in cells) / max(len(cells), 1)  # as after a comma in a sentence
    names = next((r.cells for r in records if len(r.cells) > 1), [])
    named = len(names) > 1 and sum(column_names.plain_name(name) in column_names.KNOWN for name in names) >= 2
    if named:  # a row of names outweighs rows that were written carelessly
        width, share = len(names), counts[len(names)] / rows
    return _Attempt(separator, quoting, records, width, share, share * (1 - 0.5 * spaced) + 0.5 * named)


def _detect_quoting(lines: list[str], separator: str, whole: bool) -> Quoting:
    """Standard, unless quotation marks stand where they cannot enclose a cell and the lines make sense without them."""
    if not any('"' in line for line in lines):
        return "standard"
    broken, several_lines = _quotation_trouble(lines, separator, "standard", whole)
    if not broken and not several_lines:
        return "standard"
    escaped = broken and any('\\"' in line for line in lines)
    if escaped and _quotation_trouble(lines, separator, "backslash", whole)[0] < 0.1 * broken:
        return "backslash"
    counts = Counter(len(r.cells) for r in iter_records(lines, separator, "literal") if r.cells)
    width, often = counts.most_common(1)[0]
    consistent = often / sum(counts.values())
    if (width > 1 or broken) and consistent >= (0.99 if broken else 1.0):
        return "literal"
    return "standard"


def _quotation_trouble(lines: list[str], separator: str, quoting: Quoting, whole: bool) -> tuple[int, int]:
    """How many records have broken quotation marks, and how many run over several lines."""
    broken = several = 0
    for record in iter_records(lines, separator, quoting):
        broken += record.broken and (whole or record.line < len(lines))
        several += any("\n" in cell or "\r" in cell for cell in record.cells)
    return broken, several


def _lines_above(attempt: _Attempt) -> int:
    """How many lines stand above the table: blank lines, comments, and a title followed by a blank line."""
    records = attempt.records[:50]
    for place, record in enumerate(records):
        after = records[place + 1 : place + 2]
        text = record.cells[0].strip() if record.cells else ""
        blank = not any(cell.strip() for cell in record.cells)
        uneven = len(record.cells) != attempt.width
        comment = text.startswith(("# ", "// ")) or (uneven and text.startswith(("#", "//")))
        title = attempt.width > 1 and len(record.cells) == 1 and bool(after) and not after[0].cells
        if not (blank or comment or title):
            return record.line - 1
    return 0


def looks_like_header(first: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """Whether the first row holds names of columns rather than an example. `body` are rows below it, as wide."""
    names = [cell.strip() for cell in first]
    if not any(names):
        return False
    columns = [[row[i].strip() for row in body[:500]] for i in range(len(names))] if body else [[] for _ in names]
    repeated = [bool(name) and name in column for name, column in zip(names, columns, strict=True)]
    known = [column_names.plain_name(name) in column_names.KNOWN for name in names]
    if any(usual and not again for usual, again in zip(known, repeated, strict=True)):
        return True
    if any(repeated):
        return False
    if any(NUMBER.match(name) or len(name) > 60 or name.count(" ") > 5 for name in names):
        return False
    if any(column and _share_of_numbers(column) > 0.9 for column in columns):
        return True
    if any(not name or len(name) > 30 or name.count(" ") > 2 or SENTENCE_END.search(name) for name in names):
        return False
    # Names without any hint: believed only where the cells below them are of another kind.
    longer = any(_mean_length(column) > 2 * len(name) for name, column in zip(names, columns, strict=True))
    repeating = any(column and 2 * len(set(column)) <= len(column) for column in columns)
    if len(names) == 1:
        return longer and " " not in names[0]
    return longer or repeating or not body


def _mean_length(cells: Sequence[str]) -> float:
    return sum(map(len, cells)) / len(cells) if cells else 0.0


def _share_of_numbers(cells: Sequence[str]) -> float:
    filled = [cell for cell in cells if cell]
    return sum(bool(NUMBER.match(cell)) for cell in filled) / len(filled) if filled else 0.0
