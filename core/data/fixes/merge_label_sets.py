"""Give every spelling of a label the same name where a cell may hold several labels."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pandas as pd

from ..health_rows import role_of
from ..label_lists import WAYS, read
from ._common import rewrite
from ._fix import Change, Fix, Roles
from .merge_labels import Options


def plan(table: pd.DataFrame, roles: Roles, options: Options) -> Change:
    """Columns of yes and no have no spellings: their labels are the names of the columns."""
    mapping = options.mapping or {}
    cells: dict[str, Mapping[str, str]] = {}
    for role, column in roles.items():
        way = role.partition(":")[2]
        if role_of(role) == "labels" and way in WAYS:
            cells |= rewrite(table, [column], lambda cell, way=way: _merged(cell, way, mapping)).cells  # type: ignore[misc]
    return Change(cells=cells)


def _merged(cell: str, way: str, mapping: Mapping[str, str]) -> str:
    """The cell with its labels renamed, written as it was; untouched where none of them changes."""
    labels = read(cell, way)
    new = list(dict.fromkeys(mapping.get(label, label) for label in labels))
    if new == list(labels):
        return cell
    if way == "json":
        return json.dumps(new, ensure_ascii=False)
    return new[0] if way == "one" else f"{way} ".join(new)


PLUGIN = Fix(
    "merge_label_sets",
    "Merge label spellings",
    "Gives every spelling of a label the same name, in each cell that holds it. Nothing is merged that you do not see in the "
    "table.",
    plan,
    Options,
    order=30,
    in_menu=False,
)
