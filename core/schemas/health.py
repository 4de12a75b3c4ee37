"""The health report of a dataset: what every check found, worst first, with what a screen needs to draw it."""

from __future__ import annotations

from typing import Any

from .base import Schema
from .findings import Finding, Severity


class HealthReport(Schema):
    """`rows` counts all rows of the file, `counts` holds single figures by name (for example `exact_copies`).

    `findings` are sorted from errors to good news. `language` is the ISO 639 code of the main language, or None where
    it could not be told. `timings` are the seconds of each check. In a finding's `data`, `chart` is what its chart
    shows, `fix_key` and `fix_options` name a fix of `core.data.fixes`, and `blocks` marks what makes training
    pointless. `key` is a hash of all that the report rests on, set by `core.services.health`.
    """

    task: str
    rows: int
    counts: dict[str, int] = {}
    findings: tuple[Finding, ...] = ()
    language: str | None = None
    seconds: float = 0.0
    timings: dict[str, float] = {}
    key: str = ""

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """The findings that must be mended before a training can teach anything."""
        return tuple(f for f in self.findings if f.data.get("blocks"))

    def of(self, *severities: Severity) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.severity in severities)

    def chart(self, check: str) -> dict[str, Any]:
        """The chart data of a check, or an empty dictionary where it drew none."""
        return next((f.data["chart"] for f in self.findings if f.check == check and "chart" in f.data), {})
