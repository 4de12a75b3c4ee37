"""Cells of a CSV file that a spreadsheet shows as they are: text that looks like a formula must not become one."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe(cell: object) -> object:
    """A text that begins like a formula gets an apostrophe in front, which spreadsheets hide (OWASP, CSV injection). Numbers
    stay numbers."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(DANGEROUS) else cell


def csv_line(cells: Iterable[object]) -> str:
    """One line; None is an empty cell."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(["" if c is None else safe(c) for c in cells])
    return out.getvalue()
