"""Is the file sorted by label?"""

from __future__ import annotations

from itertools import pairwise

from core.schemas.findings import Finding, Severity

from ._check import LABELS, Check
from ._context import Context

ROWS = 50
SORTED = 0.05  # share of the changes from one label to the next that a random order would have (house threshold)


def run(context: Context) -> list[Finding]:
    labels = [c for c in context.classes if c]
    total = len(labels)
    if total < ROWS or len(set(labels)) < 2 or context.labels_look_unique:
        return []
    changes = sum(1 for a, b in pairwise(labels) if a != b)
    expected = total - sum(n * n for n in context.class_counts.values()) / total
    if changes > SORTED * expected:
        return []
    return [
        Finding(
            check="row_order",
            severity=Severity.INFO,
            title="The rows are sorted by label",
            meaning="Cut at a row number, training and test would hold different labels. Rows are mixed before they "
            "are split, so this does no harm here.",
            fix="Nothing to do. Do not split this file by hand at a row number.",
            count=total,
        )
    ]


PLUGIN = Check("row_order", "Order of rows", 38, LABELS, run, "Labels")
