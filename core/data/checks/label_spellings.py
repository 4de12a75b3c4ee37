"""Labels that mean the same and are spelled differently."""

from __future__ import annotations

from core.schemas.findings import Finding, Severity

from ..statistics import wilson
from ._check import LABELS, Check, plural, visible
from ._context import Context


def run(context: Context) -> list[Finding]:
    counts = context.label_counts
    if len(counts) < 2 or context.labels_look_unique:
        return []
    if not context.merges:
        title = f"No two of the {len(counts)} labels look like the same label"
        return [Finding(check="label_spellings", severity=Severity.GOOD, title=title, count=len(counts))]
    mapping = {raw: merge.to for merge in context.merges for raw in merge.spellings if raw != merge.to}
    strays = [i for i, x in enumerate(context.labels) if x in mapping]
    written = context.around.as_written.get("labels", 0)
    after = len({mapping.get(x, x) for x in counts})
    groups = [
        {
            "to": merge.to,
            "from": [
                {"spelling": raw, "shown": visible(raw), "rows": n, "reason": merge.reasons.get(raw, "kept as it is")}
                for raw, n in merge.spellings.items()
            ],
        }
        for merge in context.merges
    ]
    names = "; ".join(
        f"“{visible(m.to)}” is written in {plural(len(m.spellings), 'way')}" for m in context.merges[:3]
    ) + ("; …" if len(context.merges) > 3 else "")
    return [
        Finding(
            check="label_spellings",
            severity=Severity.WARNING,
            title=f"{max(written, len(counts))} label spellings look like {plural(after, 'label')}",
            meaning=f"{names}. To the model every spelling is a label of its own: it has to guess which one is "
            "meant, and every wrong guess counts as an error."
            + (f" (Spaces around a label are removed, which leaves {len(counts)}.)" if written > len(counts) else ""),
            fix="Look through the groups and merge those that mean the same. Nothing is merged without you.",
            count=len(strays),
            row_ids=context.ids(strays),
            estimate=wilson(len(strays), counts.total()),
            data={
                "counts": {"label_spellings": max(written, len(counts)), "labels_after_merge": after},
                "evidence": {
                    context.row_ids[i]: f"{visible(context.labels[i])} → {visible(mapping[context.labels[i]])}"
                    for i in strays[:200]
                },
                "fix_key": "merge_labels",
                "fix_options": {"mapping": mapping},
                "groups": groups,
            },
        )
    ]


PLUGIN = Check("label_spellings", "Label spelling", 34, LABELS, run, "Labels")
