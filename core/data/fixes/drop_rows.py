"""Remove the rows that a person chose."""

from __future__ import annotations

import pandas as pd
from pydantic import Field

from core.schemas.base import Schema

from ._fix import Change, Fix, Roles


class Options(Schema):
    rows: tuple[str, ...] = Field((), description="Ids of the rows to remove.", json_schema_extra={"form": False})


def plan(table: pd.DataFrame, roles: Roles, options: Options) -> Change:
    present = set(table["row_id"].map(str))
    return Change(drop=tuple(row for row in dict.fromkeys(options.rows) if row in present))


PLUGIN = Fix(
    "drop_rows", "Remove these rows", "Removes the rows that you chose.", plan, Options, order=90, in_menu=False
)
