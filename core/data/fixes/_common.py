"""What several fixes share: rewriting cells, reading conversations, and the classes of rows with spellings merged."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from ..checks._spelling import looks_unique, propose
from ..health_rows import ANSWERS, filled, role_of
from ._fix import Change, Roles


def rewrite(table: pd.DataFrame, columns: Sequence[str], new: Callable[[str], str]) -> Change:
    """Every cell of these columns with `new` done to it. Equal cells are worked out once."""
    cells: dict[str, dict[str, str]] = {}
    known: dict[str, str] = {}
    for column in columns:
        changed: dict[str, str] = {}
        for row, text in zip(table["row_id"].map(str), filled(table[column]), strict=True):
            after = known.get(text)
            if after is None:
                after = new(text)
                if len(text) < 200:
                    known[text] = after
            if after != text:
                changed[row] = after
        if changed:
            cells[column] = changed
    return Change(cells=cells)


def rewrite_texts(table: pd.DataFrame, roles: Roles, new: Callable[[str], str], *, labels: bool = False) -> Change:
    """Every text of an example with `new` done to it; conversations stay valid JSON. Labels only where asked."""
    columns = [c for role, c in roles.items() if role != "messages" and (labels or role_of(role) not in ANSWERS)]
    change = rewrite(table, columns, new)
    if "messages" not in roles:
        return change
    inside = rewrite(table, [roles["messages"]], lambda text: in_json(text, new))
    return Change(cells={**change.cells, **inside.cells})


def in_json(text: str, change: Callable[[str], str]) -> str:
    """The JSON text with every string in it changed, but for keys; a text that is no JSON is changed as a whole."""

    def walk(value: Any) -> Any:
        if isinstance(value, str):
            return change(value)
        if isinstance(value, list):
            return [walk(item) for item in value]
        return {key: walk(item) for key, item in value.items()} if isinstance(value, dict) else value

    try:
        value = json.loads(text)
    except ValueError:
        return change(text)
    after = walk(value)
    return text if after == value else json.dumps(after, ensure_ascii=False)


def merged(labels: pd.Series) -> dict[str, str]:
    """The merges that the health report proposes for a column, as spelling to label."""
    return proposed_merges(Counter(x for x in labels if x.strip()))


def proposed_merges(counts: Mapping[str, int]) -> dict[str, str]:
    """The same for labels with their numbers of rows."""
    merges = [] if looks_unique(counts) else propose(counts)
    return {raw: merge.to for merge in merges for raw in merge.spellings}


def classes(table: pd.DataFrame, roles: Roles) -> list[str]:
    """The class of each row with spellings merged; empty where the task has no labels or the row has none."""
    if "label" not in roles:
        return [""] * len(table)
    labels = filled(table[roles["label"]])
    mapping = merged(labels)
    return [mapping.get(x, x) if x.strip() else "" for x in labels]


def whole_texts(table: pd.DataFrame, roles: Roles) -> list[str]:
    """What the model reads of each row: the text, or question and answer; never the label."""
    columns = [filled(table[column]) for role, column in roles.items() if role_of(role) not in ANSWERS]
    return ["\n".join(part for part in parts if part) for parts in zip(*columns, strict=True)]


def composed(text: str) -> str:
    """The text with e + accent as é: exact copies are equal in this."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)
