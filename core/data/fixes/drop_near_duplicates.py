"""Remove rows that say nearly the same as another, by the same search as the health report."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Literal

import pandas as pd
from pydantic import Field

from core.schemas.base import Schema

from ..duplicates import near_pairs, normalise
from ._common import classes, whole_texts
from ._fix import Change, Fix, Roles

CLIP = 2_000  # characters of a text that are compared, as in the health report
ROUNDS = (
    10  # the search finds some twenty neighbours of a text at once; with many more it is done again on what is left
)
_DIGITS = re.compile(r"\d+")


class Options(Schema):
    threshold: float = Field(
        0.8,
        ge=0.5,
        le=1.0,
        title="How alike",
        description="Share of their runs of five letters that two texts must have in common to count as copies. 0.8 "
        "is about one word in ten changed; lower removes more.",
    )
    keep: Literal["first", "longest"] = Field(
        "first",
        title="Which one stays",
        description="Of a group of near copies one row stays: the first in the file, or the longest.",
        json_schema_extra={"options": {"first": "The first", "longest": "The longest"}},
    )
    numbers_differ: bool = Field(
        False,
        title="Numbers do not matter",
        description="Also takes texts for copies that differ only in their numbers, such as dates, prices and order "
        "numbers.",
    )


def plan(table: pd.DataFrame, roles: Roles, options: Options) -> Change:
    """Rows are taken in order of preference; one stays unless a row that stays nearly repeats it and has its label."""
    texts = [normalise(text[:CLIP]) for text in whole_texts(table, roles)]
    labels = classes(table, roles)
    shape = [_DIGITS.sub("0", text) for text in texts]
    left = list(range(len(texts)))
    if options.keep == "longest":
        left.sort(key=lambda i: -len(texts[i]))
    gone: set[int] = set()
    for _ in range(ROUNDS):
        neighbours = _neighbours(left, texts, shape, labels, options)
        dropped: set[int] = set()
        for i in left:
            if i not in dropped:
                dropped |= neighbours[i]
        if not dropped:
            break
        gone |= dropped
        left = [i for i in left if i not in dropped]
    rows = table["row_id"].map(str).tolist()
    return Change(drop=tuple(rows[i] for i in sorted(gone)))


def _neighbours(
    left: list[int], texts: list[str], shape: list[str], labels: list[str], options: Options
) -> dict[int, set[int]]:
    """For each row the less preferred rows that nearly repeat it."""
    order = {i: place for place, i in enumerate(left)}
    found: dict[int, set[int]] = defaultdict(set)

    def pair(i: int, j: int) -> None:
        if labels[i] == labels[j]:
            first, second = (i, j) if order[i] < order[j] else (j, i)
            found[first].add(second)

    same: dict[tuple[str, str], int] = {}
    for i in left:
        key = (labels[i], shape[i] if options.numbers_differ else texts[i])
        if key[1] and key in same:
            pair(same[key], i)
        same.setdefault(key, i)
    # Labels apart: equal texts count once in the search, and one of another label must not stand for the others.
    for label in sorted(set(labels)):
        mine = [i for i in left if labels[i] == label]
        for a, b, _ in near_pairs([texts[i] for i in mine], options.threshold):
            if options.numbers_differ or shape[mine[a]] != shape[mine[b]]:
                pair(mine[a], mine[b])
    return found


PLUGIN = Fix(
    "drop_near_duplicates",
    "Remove near copies",
    "Of texts that say nearly the same, one row stays. A near copy with another label stays too.",
    plan,
    Options,
    order=21,
    judges="pairs",
)
