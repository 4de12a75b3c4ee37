"""The same text with two different labels."""

from __future__ import annotations

from core.schemas.findings import Finding, Severity

from ..statistics import wilson
from ._check import LABELS, Check, listed, plural, visible
from ._context import Context


def run(context: Context) -> list[Finding]:
    if len(context.label_counts) < 2 or context.labels_look_unique:
        return []
    groups = []
    for group in context.same_text:
        labelled = [i for i in group if context.classes[i]]
        if len({context.classes[i] for i in labelled}) > 1:
            groups.append(labelled)
    total = context.label_counts.total()
    data = {"counts": {"contradictions": len(groups), "contradicting_rows": sum(map(len, groups))}}
    if not groups:
        title = f"No text carries two different labels among {plural(total, 'row')}"
        return [Finding(check="contradictions", severity=Severity.GOOD, title=title, count=0, data=data)]
    rows = [i for group in groups for i in group]
    first = groups[0]
    shown = listed(dict.fromkeys(context.classes[i] for i in first))
    return [
        Finding(
            check="contradictions",
            severity=Severity.WARNING,
            title=f"{plural(len(groups), 'text')} with two or more different labels ({plural(len(rows), 'row')})",
            meaning=f"For example “{visible(context.texts[first[0]])}” is labelled {shown}. The model is told "
            "opposite things about the same text, and whatever it answers, one of the rows counts it as wrong.",
            fix="Decide which label is right, or remove these rows.",
            count=len(groups),
            row_ids=context.ids(rows),
            estimate=wilson(len(rows), total),
            data=data
            | {
                "fix_key": "drop_contradictions",
                "queue": "contradictions",
                "groups": [[context.row_ids[i] for i in group[:20]] for group in groups[:50]],
            },
        )
    ]


PLUGIN = Check("contradictions", "Contradicting labels", 40, LABELS, run, "Labels")
