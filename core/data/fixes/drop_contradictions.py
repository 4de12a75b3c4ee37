"""Remove every row of a text that carries different labels."""

from __future__ import annotations

import pandas as pd

from ..duplicates import normalise
from ..health_rows import filled
from ._common import classes
from ._fix import Change, Fix, NoOptions, Roles


def plan(table: pd.DataFrame, roles: Roles, options: NoOptions) -> Change:
    """Spellings of one label are no contradiction."""
    text = filled(table[roles["text"]]).map(normalise)
    frame = pd.DataFrame({"row": table["row_id"].map(str), "text": text, "label": classes(table, roles)})
    frame = frame[(frame["text"] != "") & (frame["label"] != "")]
    several = frame.groupby("text")["label"].transform("nunique") > 1
    return Change(drop=tuple(frame.loc[several, "row"]))


PLUGIN = Fix(
    "drop_contradictions",
    "Remove contradicting rows",
    "Removes every row of a text that carries two or more different labels. To keep one of them, go through the rows one "
    "by one instead and choose the right label.",
    plan,
    order=40,
    needs=frozenset({"text", "label"}),
    judges="table",
)
