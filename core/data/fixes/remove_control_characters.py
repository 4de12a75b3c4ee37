"""Remove invisible codes from texts and labels."""

from __future__ import annotations

import re

import pandas as pd

from ..checks.characters import CONTROL
from ._common import rewrite_texts
from ._fix import Change, Fix, NoOptions, Roles

_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_BETWEEN_WORDS = re.compile(rf"(?<=\w){CONTROL.pattern}(?=\w)")


def plan(table: pd.DataFrame, roles: Roles, options: NoOptions) -> Change:
    """Terminal colour codes go as a whole; a code between two words leaves a space."""
    return rewrite_texts(table, roles, without_controls, labels=True)


def without_controls(text: str) -> str:
    if text.isprintable():
        return text
    text = _TERMINAL.sub("", text)
    return CONTROL.sub("", _BETWEEN_WORDS.sub(" ", text))


PLUGIN = Fix(
    "remove_control_characters",
    "Remove control characters",
    "Removes invisible codes such as NUL, bell and terminal colours. Line breaks and tabs stay.",
    plan,
    order=51,
)
