"""Rows without a text, a label or an answer."""

from __future__ import annotations

from collections import Counter

from core.schemas.findings import Finding, Severity

from ..statistics import wilson
from ._check import ALL, Check, plural
from ._context import Context


def run(context: Context) -> list[Finding]:
    reasons = dict(context.skipped)
    for row_id, text, label in zip(context.row_ids, context.texts, context.labels, strict=True):
        if not text.strip():
            reasons.setdefault(row_id, "no text")
        elif context.shape == "labels" and not label.strip():
            reasons.setdefault(row_id, "no label")
    total = len(set(context.row_ids) | set(reasons))
    if not total:
        return []
    count = len(reasons)
    data = {"counts": {"empty": count}}
    if not count:
        title = f"No empty rows among {plural(total, 'row')}"
        return [Finding(check="empty", severity=Severity.GOOD, title=title, data=data)]
    kinds = Counter(reasons.values()).most_common()
    words = ", ".join(f"{n:,} {reason}" for reason, n in kinds)
    return [
        Finding(
            check="empty",
            severity=Severity.WARNING,
            title=f"{plural(count, 'row')} of {total:,} cannot be used ({words})",
            meaning="There is nothing to learn from these rows. They are left out of training and testing.",
            fix="Fill in what is missing, or remove the empty rows.",
            count=count,
            row_ids=tuple(reasons)[:200],
            estimate=wilson(count, total),
            data=data
            | {
                "fix_key": "drop_empty",
                "chart": {"reasons": dict(kinds)},
                "evidence": dict(list(reasons.items())[:200]),
            },
        )
    ]


PLUGIN = Check("empty", "Empty rows", 20, ALL, run, "Enough to learn from")
