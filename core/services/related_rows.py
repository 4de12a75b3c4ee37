"""Rows that are not independent: copies and near copies of one text, pieces of one row, and the groups of the split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.data import duplicates
from core.schemas.examples import Example
from core.schemas.predictions import Predictions
from core.store.tables import Plan

from . import datasets, preparation


def groups(plan: Plan, examples: Sequence[Example]) -> dict[str, str]:
    """Row id to the key of its group, for rows that share one with another row of `examples`.

    Two rows are together where their texts are equal or nearly so, where they are pieces of one text, or where the split
    keeps them together by a column.
    """
    texts = [preparation.compared_text(example) for example in examples]
    pairs = [(g[0], i) for g in duplicates.exact_groups(texts) for i in g[1:]]
    pairs += [(i, j) for i, j, _ in duplicates.near_pairs(texts)]
    for keys in _given(plan, examples):
        first: dict[str, int] = {}
        for i, key in enumerate(keys):
            if key:
                pairs.append((first.setdefault(key, i), i))
    found = duplicates.clusters((i, j) for i, j in pairs if i != j)
    return {examples[i].row_id: f"{members[0]}" for members in found for i in members}


def grouped(predictions: Predictions, keys: Mapping[str, str]) -> Predictions:
    """The same predictions with the group of each row."""
    if not keys:
        return predictions
    items = tuple(replace(item, group=keys.get(item.row_id, item.group)) for item in predictions.items)
    return replace(predictions, items=items)  # type: ignore[arg-type]


def _given(plan: Plan, examples: Sequence[Example]) -> list[list[str]]:
    """Keys of the rows by what the split keeps together: the pieces of a text, the values of a column."""
    version = datasets.get_version(plan.dataset_version_id)
    split = plan.config.get("split") or {}
    wholes = preparation.wholes(version)
    found = [[wholes.get(e.row_id, "") for e in examples]] if wholes else []
    if split.get("strategy") == "column" and split.get("column"):
        frame = datasets.frame(version)
        if split["column"] in frame.columns:
            values = dict(zip(frame[datasets.ROW_ID], frame[split["column"]].astype("string").fillna(""), strict=True))
            found.append([str(values.get(e.row_id, "")) for e in examples])
    return found
