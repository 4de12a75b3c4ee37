"""Remove spaces and line breaks around texts and labels."""

from __future__ import annotations

import pandas as pd

from ._common import rewrite
from ._fix import Change, Fix, NoOptions, Roles


def plan(table: pd.DataFrame, roles: Roles, options: NoOptions) -> Change:
    return rewrite(table, [c for role, c in roles.items() if role != "messages"], str.strip)


PLUGIN = Fix(
    "strip_whitespace",
    "Strip surrounding spaces",
    "Removes spaces and line breaks before and after texts and labels. Spaces inside stay.",
    plan,
    order=50,
)
