"""Give every spelling of a label the same name."""

from __future__ import annotations

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
    rows = zip(table["row_id"].map(str), labels, strict=True)
    return Change(cells={column: {row: mapping[x] for row, x in rows if mapping.get(x, x) != x}})


PLUGIN = Fix(
    "merge_labels",
    "Merge label spellings",
    "Gives every spelling of a label the same name. Nothing is merged that you do not see in the table.",
    plan,
    Options,
    order=30,
    needs=frozenset({"label"}),
)
