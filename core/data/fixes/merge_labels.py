"""Give every spelling of a label the same name."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from pydantic import Field, field_validator

from core.schemas.base import Schema

from ..health_rows import filled
from ._common import merged
from ._fix import Change, Fix, Roles


class Options(Schema):
    mapping: dict[str, str] | None = Field(
        None,
        description="The spelling as written, and the label that it becomes. Without it, what the health report proposes.",
        json_schema_extra={"form": False},
    )

    @field_validator("mapping")
    @classmethod
    def _named(cls, value: dict[str, str] | None) -> dict[str, str] | None:
        if value and any(not to.strip() for to in value.values()):
            raise ValueError("a label cannot be empty; give every group a name")
        return value


def plan(table: pd.DataFrame, roles: Roles, options: Options) -> Change:
    column = roles["label"]
    labels = filled(table[column])
    mapping = merged(labels) if options.mapping is None else options.mapping
    becomes = {label: _becomes(label, mapping) for label in set(labels)}
    rows = zip(table["row_id"].map(str), labels, strict=True)
    return Change(cells={column: {row: becomes[x] for row, x in rows if becomes[x] != x}})


def _becomes(label: str, mapping: Mapping[str, str]) -> str:
    """A report knows labels without the spaces around them, the table has them as written."""
    if label in mapping:
        return mapping[label]
    bare = label.strip()
    return mapping.get(bare, bare if bare in mapping.values() else label)


PLUGIN = Fix(
    "merge_labels",
    "Merge label spellings",
    "Gives every spelling of a label the same name. Nothing is merged that you do not see in the table.",
    plan,
    Options,
    order=30,
    needs=frozenset({"label"}),
)
