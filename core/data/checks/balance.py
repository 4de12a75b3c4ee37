"""How evenly the rows are spread over the labels."""

from __future__ import annotations

import math

from core.schemas.findings import Finding, Severity

from ..statistics import wilson
from ._check import LABELS, Check, visible
from ._context import Context

SHARE = 0.1  # the rarest label is flagged below this part of an even share
RATIO, UNEVEN = 10, 3  # most to least frequent label: flagged, and mentioned (house thresholds)
CHARTED = 200


def run(context: Context) -> list[Finding]:
    counts = context.class_counts
    if len(counts) < 2 or context.labels_look_unique:
        return []
    total, classes = counts.total(), len(counts)
    ordered = counts.most_common()
    (top, most), (rare, least) = ordered[0], ordered[-1]
    entropy = -sum(n / total * math.log(n / total) for n in counts.values()) / math.log(classes)
    chart = {
        "labels": [label for label, _ in ordered[:CHARTED]],
        "rows": [n for _, n in ordered[:CHARTED]],
        "evenness": round(entropy, 4),
        "ratio": round(most / least, 2),
    }
    data = {"counts": {"labels": classes}, "chart": chart}
    merged = " Spellings of one label are counted together here." if context.merges else ""
    always = f"A model that always says “{visible(top)}” would be right in {most / total:.0%} of the rows.{merged}"
    if least / total < SHARE / classes or most >= RATIO * least:
        return [
            Finding(
                check="balance",
                severity=Severity.WARNING,
                title=f"Labels are very uneven: “{visible(top)}” has {most:,} rows, “{visible(rare)}” only {least:,}",
                meaning=f"The model sees rare labels too seldom and will tend to miss them. {always}",
                fix="Add examples of the rare labels, merge labels that you need not tell apart, or give rare labels more "
                "weight in training (Hyperparameters). Judge by macro-F1, which counts every label the same.",
                count=least,
                row_ids=context.ids(i for i, x in enumerate(context.classes) if x == rare),
                estimate=wilson(least, total),
                data=data | {"link": "recipe"},
            )
        ]
    uneven = most >= UNEVEN * least
    return [
        Finding(
            check="balance",
            severity=Severity.INFO if uneven else Severity.GOOD,
            title=f"Labels are uneven: “{visible(top)}” is {most / least:.1f} times as frequent as “{visible(rare)}”"
            if uneven
            else f"The {classes} labels are evenly filled ({least:,} to {most:,} rows each)",
            meaning=always if uneven else f"No label is drowned out by the others. {merged}".strip(),
            fix="Look at macro-F1 beside accuracy: it counts every label the same." if uneven else "",
            count=total,
            estimate=wilson(least, total),
            data=data,
        )
    ]


PLUGIN = Check("balance", "Label balance", 30, LABELS, run, "Labels")
