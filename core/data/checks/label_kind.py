"""Are the labels names of classes at all, or answers, row numbers, or bare figures?"""

from __future__ import annotations

import re
from statistics import median

from core.schemas.findings import Finding, Severity

from ..statistics import wilson
from ._check import LABELS, Check, listed, plural
from ._context import Context, count_words

LONG = 5  # words from which a label reads like an answer
_NUMBER = re.compile(r"\s*[+-]?\d+([.,]\d+)?\s*")


def run(context: Context) -> list[Finding]:
    counts = context.label_counts
    if len(counts) < 2:
        return []
    if context.labels_look_unique:
        return [_unique(context)]
    if all(_NUMBER.fullmatch(label) for label in counts):
        return [
            Finding(
                check="label_kind",
                severity=Severity.INFO,
                title=f"Labels are numbers: {listed(sorted(counts, key=_value))}",
                meaning="They are used as names, exactly as written. A model that has not been tuned cannot guess "
                "what a number stands for, so the comparison with the base model says little.",
                fix="If you know what the numbers mean, replace them by words, for example “positive” and “negative”. Where "
                "being nearly right is better than being far off, as with stars, choose the task “Give texts a number”.",
                count=len(counts),
            )
        ]
    return []


def _unique(context: Context) -> Finding:
    counts = context.label_counts
    total, distinct = counts.total(), len(counts)
    once = sum(1 for n in counts.values() if n == 1)
    if median(count_words(label) for label in counts) >= LONG:
        title = f"The labels look like answers: {distinct:,} different ones in {plural(total, 'row')}"
        meaning = (
            "A classifier chooses from a short list of labels that come back again and again. These are long and "
            "hardly repeat, as in questions with their answers."
        )
        fix = "Change the task to instruction tuning: the model then learns to write such answers."
    else:
        title = f"The labels hardly repeat: {distinct:,} different ones in {plural(total, 'row')}"
        meaning = "A classifier learns a label from many rows that carry it. A label that comes once cannot be learned."
        fix = "Check that the label column is the right one (it may hold row numbers, names or measurements)."
    return Finding(
        check="label_kind",
        severity=Severity.WARNING,
        title=title,
        meaning=meaning,
        fix=fix,
        count=once,
        row_ids=context.ids(i for i, x in enumerate(context.labels) if counts.get(x) == 1),
        estimate=wilson(once, total),
        data={"suggested_task": "chat"} if "instruction" in fix else {},
    )


def _value(label: str) -> float:
    return float(label.strip().replace(",", "."))


PLUGIN = Check("label_kind", "Kind of labels", 36, LABELS, run, "Labels")
