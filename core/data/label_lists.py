"""How a table writes the labels of a row that may have any number of them, and the labels that a cell names.

The ways: `json` (a list such as ["red", "blue"]), a separator (`;`, `|`, `,`, or `/`), `one` (a cell is one label), and
one column for each label that says yes or no.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence

SEPARATORS = (";", "|", ",", "/")
WAYS = {
    "json": 'A list such as ["red", "blue"]',
    ";": "Separated by semicolons",
    "|": "Separated by upright bars",
    ",": "Separated by commas",
    "/": "Separated by slashes",
    "one": "One label in a cell",
}
FEWEST = 0.02  # share of the filled cells that a separator must stand in, and at least two cells (house)
REPEATS = 0.5  # labels come back: at most this share of the parts may be the first of their kind (house)
YES = frozenset({"1", "1.0", "true", "yes", "y", "x"})
NO = frozenset({"0", "0.0", "false", "no", "n", ""})


def detect(cells: Iterable[str | None]) -> str:
    """The way that these cells write their labels; `one` where no cell names several."""
    filled = [cell.strip() for cell in cells if cell and cell.strip()]
    if filled and sum(_listed(cell) is not None for cell in filled) > len(filled) / 2:
        return "json"
    for separator in SEPARATORS:
        several = [cell for cell in filled if separator in cell]
        if len(several) >= max(2, FEWEST * len(filled)) and _come_back(filled, separator):
            return separator
    return "one"


def read(cell: str | None, way: str) -> tuple[str, ...]:
    """The labels of a cell, each once, in the order written; none where it is empty. Raises KeyError for no known way."""
    if way not in WAYS:
        raise KeyError(way)
    text = (cell or "").strip()
    if way == "json":
        found = _listed(text)
        parts: Sequence[str] = [text] if found is None else found
    else:
        parts = [text] if way == "one" else text.split(way)
    return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))


def says_yes(cell: str | None) -> bool:
    """Whether the cell of a column for one label says that the row has it."""
    return (cell or "").strip().lower() in YES


def yes_or_no(examples: Iterable[str]) -> bool:
    """Whether a column with these values may say for each row if it has a label."""
    found = {value.strip().lower() for value in examples}
    return bool(found) and found <= YES | NO


def _listed(text: str) -> list[str] | None:
    """The items of a JSON list of texts or numbers (also in single quotes, as pandas writes it); None where it is none."""
    if not text.startswith("["):
        return None
    for written in (text, text.replace("'", '"')):
        try:
            value = json.loads(written)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
            return [str(item) for item in value]
    return None


def _come_back(cells: Sequence[str], separator: str) -> bool:
    counts = Counter(part.strip() for cell in cells for part in cell.split(separator) if part.strip())
    return len(counts) <= max(4, REPEATS * counts.total())
