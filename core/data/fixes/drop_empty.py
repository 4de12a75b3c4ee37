"""Remove rows in which a part that the task needs is missing."""

from __future__ import annotations

import pandas as pd
from pydantic import Field

from core.schemas.base import Schema

from ..health_rows import missing
from ._fix import Change, Fix, Roles


class Options(Schema):
    rows: tuple[str, ...] = Field(
        (), description="Further rows that could not become examples.", json_schema_extra={"form": False}
    )


def plan(table: pd.DataFrame, roles: Roles, options: Options) -> Change:
    present = set(table["row_id"].map(str)) if options.rows else set()
    unusable = [row for row in options.rows if row in present]
    return Change(drop=tuple(dict.fromkeys([*missing(table, roles), *unusable])))


PLUGIN = Fix(
    "drop_empty",
    "Remove empty rows",
    "Removes rows where the text, the label or the answer is missing. They teach nothing.",
    plan,
    Options,
    order=10,
)
