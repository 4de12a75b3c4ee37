"""Which rows name which group of people: one pass over the texts with the identity lexicon, for the report and the audits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from statistics import median

from .group_rates import GroupedRows
from .identity import find_terms
from .lexicon import Lexicon

TELEGRAPHIC = (
    6  # words: where half of the texts are no longer than this, a term may stand alone ("hug a Sikh", "hug sikh")
)


def named_in_texts(
    texts: Sequence[str], lexicon: Lexicon, axes: Collection[str] | None = None, among: Collection[int] | None = None
) -> tuple[list[GroupedRows], dict[tuple[str, str], dict[int, str]]]:
    """The rows of each group, one `GroupedRows` for each axis that is named (in the lexicon's order), and the words that
    name it: (axis, group) to row to term as written. `among` narrows to some rows; row numbers stay those of `texts`.
    """
    rows = sorted(among) if among is not None else range(len(texts))
    telegraphic = bool(texts) and median(len(text.split()) for text in texts[:2_000]) <= TELEGRAPHIC
    found: dict[tuple[str, str], dict[int, str]] = {}
    for i in rows:
        for match in find_terms(texts[i], axes, lexicon, telegraphic):
            found.setdefault((match.axis, match.group), {}).setdefault(i, match.term)
    grouped = []
    for axis in lexicon.axes:
        groups = {
            group.key: list(found[axis.key, group.key]) for group in axis.groups if (axis.key, group.key) in found
        }
        if groups:
            titles = {group.key: group.title for group in axis.groups}
            grouped.append(GroupedRows(axis.key, axis.title, groups, titles))
    return grouped, found
