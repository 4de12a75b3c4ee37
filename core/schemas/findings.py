"""What a check found in a dataset or a model, in words for a person, with its evidence."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from .base import Schema
from .estimates import Estimate


class Severity(StrEnum):
    GOOD = "good"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Finding(Schema):
    """`title` is the finding in one sentence, `meaning` what it does to the model, `fix` what to do.

    `row_ids` are (up to 200 of) the rows that show it, `count` how many there are in all. `data` holds what a chart
    needs (plain JSON).
    """

    check: str
    severity: Severity
    title: str
    meaning: str = ""
    fix: str = ""
    count: int = 0
    row_ids: tuple[str, ...] = ()
    estimate: Estimate | None = None
    data: dict[str, Any] = {}
