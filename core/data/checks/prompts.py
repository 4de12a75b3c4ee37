"""The same question with different answers."""

from __future__ import annotations

from core.schemas.findings import Finding, Severity

from ..duplicates import exact_groups, normalise
from ..statistics import wilson
from ._check import MESSAGES, Check, plural, visible
from ._context import Context

MANY = 0.05  # share of rows from which it is a warning (house threshold)


def run(context: Context) -> list[Finding]:
    rows = [i for i, e in enumerate(context.talks) if e.reference.strip()]
    if len(rows) < 2:
        return []
    prompts = ["\n".join(f"{m.role}: {m.content}" for m in context.talks[i].prompt) for i in rows]
    groups = []
    for group in exact_groups(prompts):
        members = [rows[k] for k in group]
        if len({normalise(context.talks[i].reference) for i in members}) > 1:
            groups.append(members)
    found = [i for group in groups for i in group]
    data = {"counts": {"prompts_with_several_answers": len(groups)}}
    if not groups:
        title = f"No question has two different answers among {plural(len(rows), 'conversation')}"
        return [Finding(check="prompts", severity=Severity.GOOD, title=title, data=data)]
    asked = context.talks[groups[0][0]].prompt
    return [
        Finding(
            check="prompts",
            severity=Severity.WARNING if len(found) > MANY * len(rows) else Severity.INFO,
            title=f"{plural(len(groups), 'question')} with different answers ({plural(len(found), 'row')})",
            meaning=f"For example “{visible(asked[-1].content if asked else '')}”. The model learns a mixture of the "
            "answers. That is fine for creative writing, and harmful where one answer is right.",
            fix="Keep the best answer of each where only one is right.",
            count=len(groups),
            row_ids=context.ids(found),
            estimate=wilson(len(found), len(rows)),
            data=data | {"groups": [[context.row_ids[i] for i in group[:20]] for group in groups[:50]]},
        )
    ]


PLUGIN = Check("prompts", "Questions", 44, MESSAGES, run, "Copies and giveaways")
