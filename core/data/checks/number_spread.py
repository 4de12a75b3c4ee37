"""Rows with a number: its range, values far outside the others, and rows whose number cannot be read."""

from __future__ import annotations

import numpy as np

from core.schemas.findings import Finding, Severity

from ..in_words import significant
from ..statistics import wilson
from ._check import NUMBERS, Check, plural
from ._context import Context

FAR = 3.0  # times the middle half's width beyond it: "far out" of Tukey 1977, Exploratory Data Analysis
FEW_VALUES = 2  # different numbers up to which it is a choice and no measurement


def run(context: Context) -> list[Finding]:
    values = np.array(context.values, dtype=np.float64)
    findings = []
    unread = [row for row, reason in context.skipped.items() if reason == "no number"]
    if unread:
        findings.append(
            Finding(
                check="number_spread",
                severity=Severity.WARNING,
                title=f"{plural(len(unread), 'row')} without a number that can be read",
                meaning="They are left out. Read are numbers such as 4, 4,5, 1,250.5, 1.250,50, € 12,50 and 4 stars.",
                fix="Write a number there, or choose another column.",
                count=len(unread),
                row_ids=tuple(unread[:200]),
                estimate=wilson(len(unread), len(unread) + len(values)) if len(values) else None,
            )
        )
    different = len(np.unique(values))
    if different < 2:
        return findings  # the check "Something to learn" says so
    low, first, middle, third, high = np.quantile(values, [0, 0.25, 0.5, 0.75, 1])
    findings.append(
        Finding(
            check="number_spread",
            severity=Severity.INFO,
            title=f"Numbers from {significant(low, 6)} to {significant(high, 6)}, {different:,} different "
            f"ones; half lie between {significant(first, 6)} and {significant(third, 6)}",
            meaning=f"A model that always says the mean ({significant(values.mean(), 4)}) would be off by "
            f"{significant(np.abs(values - values.mean()).mean(), 4)} on average: yours has to beat that.",
            count=len(values),
            data={"counts": {"different_numbers": different}, "median": float(middle)},
        )
    )
    if different <= FEW_VALUES:
        findings.append(
            Finding(
                check="number_spread",
                severity=Severity.WARNING,
                title="There are only two different numbers",
                meaning="That is a choice between two categories rather than a measurement.",
                fix="Choose the task that sorts texts into categories.",
                count=different,
                data={"suggested_task": "classification"},
            )
        )
    width = third - first
    out = [i for i, v in enumerate(values) if width and (v < first - FAR * width or v > third + FAR * width)]
    if out:
        findings.append(
            Finding(
                check="number_spread",
                severity=Severity.WARNING,
                title=f"{plural(len(out), 'row')} with a number far outside the others",
                meaning="Training weighs large misses by their square, so that a few such rows steer it. They may be slips of "
                "the pen or another unit.",
                fix="Look at them; correct or remove what is wrong.",
                count=len(out),
                row_ids=context.ids(out),
                estimate=wilson(len(out), len(values)),
            )
        )
    return findings


PLUGIN = Check("number_spread", "Spread of the numbers", 31, NUMBERS, run, "Labels")
