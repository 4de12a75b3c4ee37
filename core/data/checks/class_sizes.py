"""Does every label have enough rows to be learned and to be measured on its own?"""

from __future__ import annotations

from core.schemas.findings import Finding, Severity
from core.schemas.plan import SplitPlan

from ..statistics import margin
from ._check import LABELS, Check, listed, plural
from ._context import Context

TEST_ROWS = 20  # fewest test rows for a score of a label of its own


def run(context: Context) -> list[Finding]:
    counts = context.class_counts
    if len(counts) < 2 or context.labels_look_unique:
        return []
    share = SplitPlan().test
    needed = round(TEST_ROWS / share)
    findings = []
    single = [label for label, n in counts.items() if n == 1]
    small = {label: n for label, n in counts.items() if 1 < n < needed}
    if single:
        findings.append(
            Finding(
                check="class_sizes",
                severity=Severity.WARNING,
                title=f"{plural(len(single), 'label')} with a single row: {listed(single)}",
                meaning="A label with one row is either learned or tested, never both: the model cannot learn it, or "
                "nobody will know whether it did.",
                fix="Add examples of these labels, merge them into one “other” label, or remove them.",
                count=len(single),
                row_ids=context.ids(i for i, x in enumerate(context.classes) if counts.get(x) == 1),
                data={"counts": {"single_row_labels": len(single)}, "labels": single[:200]},
            )
        )
    if small:
        least = min(small.values())
        test_rows = max(1, round(least * share))
        findings.append(
            Finding(
                check="class_sizes",
                severity=Severity.WARNING,
                title=f"{plural(len(small), 'label')} will have fewer than {TEST_ROWS} test rows: {listed(small)}",
                meaning=f"With a test share of {share:.0%}, the smallest of them is tested on about "
                f"{plural(test_rows, 'row')}, so its own score will be known to ± {margin(test_rows, 0.8) * 100:.0f} "
                "points at best. The overall score is not affected.",
                fix=f"Collect {needed} or more rows of each label that matters on its own.",
                count=len(small),
                row_ids=context.ids(i for i, x in enumerate(context.classes) if x in small),
                data={"labels": dict(list(small.items())[:200])},
            )
        )
    if not findings:
        least = min(counts.values())
        findings.append(
            Finding(
                check="class_sizes",
                severity=Severity.GOOD,
                title=f"Every label has at least {least:,} rows",
                meaning="Each label can be learned, and scored on its own.",
                count=len(counts),
            )
        )
    return findings


PLUGIN = Check("class_sizes", "Rows of each label", 32, LABELS, run, "Enough to learn from")
