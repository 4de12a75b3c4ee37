"""Remove rows that repeat an earlier one."""

from __future__ import annotations

import pandas as pd
from pydantic import Field

from core.schemas.base import Schema

from ..duplicates import normalise
from ..health_rows import filled
from ._common import classes, composed
from ._fix import Change, Fix, Roles


class Options(Schema):
    ignore_case_and_spaces: bool = Field(
        False,
        title="Ignore capitals and spaces",
        description="Also removes copies that differ only in upper and lower case, in spaces or in the width of letters.",
    )


def plan(table: pd.DataFrame, roles: Roles, options: Options) -> Change:
    """The first of each stays."""
    key = normalise if options.ignore_case_and_spaces else composed
    columns = [filled(table[c]).map(key) for role, c in roles.items() if role != "label"]
    seen: set[tuple[str, ...]] = set()
    drop = []
    for row_id, label, *texts in zip(table["row_id"].map(str), classes(table, roles), *columns, strict=True):
        if any(texts):
            whole = (label, *texts)
            if whole in seen:
                drop.append(row_id)
            seen.add(whole)
    return Change(drop=tuple(drop))


PLUGIN = Fix(
    "drop_duplicates",
    "Remove copies, keep one of each",
    "Removes rows whose text and label came before. The same text with another label stays.",
    plan,
    Options,
    order=20,
    judges="table",
)
