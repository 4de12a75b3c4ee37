"""Give rows the label that a person chose for each."""

from __future__ import annotations

import pandas as pd
from pydantic import Field, field_validator

from core.schemas.base import Schema

from ..health_rows import filled
from ._fix import Change, Fix, Roles


class Options(Schema):
    labels: dict[str, str] = Field({}, description="Row id to its new label.", json_schema_extra={"form": False})

    @field_validator("labels")
    @classmethod
    def _named(cls, value: dict[str, str]) -> dict[str, str]:
        if any(not label.strip() for label in value.values()):
            raise ValueError("a label cannot be empty")
        return value


def plan(table: pd.DataFrame, roles: Roles, options: Options) -> Change:
    column = roles["label"]
    rows = zip(table["row_id"].map(str), filled(table[column]), strict=True)
    return Change(
        cells={column: {row: options.labels[row] for row, old in rows if options.labels.get(row, old) != old}}
    )


PLUGIN = Fix(
    "relabel",
    "Change the labels of these rows",
    "Gives each row the label that you chose for it.",
    plan,
    Options,
    order=91,
    needs=frozenset({"label"}),
    in_menu=False,
)
