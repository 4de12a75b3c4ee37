"""Rows that may have any number of labels: how many rows each label has, how many have none, and whether several ever meet."""

from __future__ import annotations

from collections import Counter

from core.schemas.findings import Finding, Severity
from core.schemas.plan import SplitPlan

from ..statistics import wilson
from ._check import LABEL_SETS, Check, listed, plural, visible
from ._context import Context
from ._spelling import propose

TEST_ROWS = 20  # fewest test rows that have a label (and that lack it) for a score of its own
CHARTED = 200


def run(context: Context) -> list[Finding]:
    sets = context.label_sets
    counts = Counter(label for labels in sets for label in labels)
    if not counts:
        return []  # the check "Something to learn" says so
    rows = len(sets)
    without = [i for i, labels in enumerate(sets) if not labels]
    several = sum(len(labels) > 1 for labels in sets)
    ordered = counts.most_common()
    findings = [
        Finding(
            check="label_sets",
            severity=Severity.INFO,
            title=f"{plural(len(counts), 'label')}, {counts.total() / rows:.1f} on a row: {several:,} rows have several, "
            f"{len(without):,} none",
            meaning="A row without a label is an example too: it says that none of them fits. If a label was forgotten there, "
            "the model learns to forget it.",
            count=len(without),
            row_ids=context.ids(without),
            estimate=wilson(len(without), rows),
            data={
                "counts": {"labels": len(counts), "without_label": len(without), "several_labels": several},
                "chart": {"labels": [k for k, _ in ordered[:CHARTED]], "rows": [n for _, n in ordered[:CHARTED]]},
            },
        )
    ]
    return [*findings, *_spellings(context, counts), *_alone(several, rows), *_few(context, counts)]


def _spellings(context: Context, counts: Counter[str]) -> list[Finding]:
    """Labels that differ in capitals, signs or a slip of the keyboard alone."""
    merges = propose(counts)
    mapping = {raw: merge.to for merge in merges for raw in merge.spellings if raw != merge.to}
    strays = [i for i, labels in enumerate(context.label_sets) if any(label in mapping for label in labels)]
    if not strays:
        return []
    named = [f"“{visible(m.to)}” ({listed([raw for raw in m.spellings if raw != m.to])})" for m in merges[:3]]
    return [
        Finding(
            check="label_sets",
            severity=Severity.WARNING,
            title=f"{plural(len(counts), 'label spelling')} look like {plural(len(counts) - len(mapping), 'label')}",
            meaning=f"{'; '.join(named)}{'; …' if len(merges) > 3 else ''}. To the model every spelling is a label of its own: "
            "it has to guess which one is meant, and every wrong guess counts as an error.",
            fix="Merge those that mean the same. Nothing is merged without you.",
            count=len(strays),
            row_ids=context.ids(strays),
            estimate=wilson(len(strays), len(context.label_sets)),
            data={
                "counts": {"label_spellings": len(counts), "labels_after_merge": len(counts) - len(mapping)},
                "fix_key": "merge_label_sets",
                "fix_options": {"mapping": mapping},
            },
        )
    ]


def _alone(several: int, rows: int) -> list[Finding]:
    if several:
        return []
    return [
        Finding(
            check="label_sets",
            severity=Severity.WARNING,
            title="No row has more than one label",
            meaning="Either every text belongs to one category at most, or the labels were not taken apart rightly.",
            fix="If exactly one label is right for each text, choose the task that sorts texts into categories. Else import "
            "again and say how the labels are separated.",
            count=rows,
            data={"suggested_task": "classification"},
        )
    ]


def _few(context: Context, counts: Counter[str]) -> list[Finding]:
    rows = len(context.label_sets)
    needed = round(TEST_ROWS / SplitPlan().test)
    rare = {label: n for label, n in counts.items() if n < needed}
    always = [label for label, n in counts.items() if n == rows]
    found = []
    if rare:
        found.append(
            Finding(
                check="label_sets",
                severity=Severity.WARNING,
                title=f"{plural(len(rare), 'label')} will have fewer than {TEST_ROWS} test rows: {listed(rare)}",
                meaning=f"Their own scores will say little. The rarest is on {plural(min(rare.values()), 'row')}. The score over "
                "all labels together is hardly affected.",
                fix=f"Collect {needed} or more rows of each label that matters on its own, or leave the label out.",
                count=len(rare),
                row_ids=context.ids(i for i, labels in enumerate(context.label_sets) if any(x in rare for x in labels)),
                data={"labels": dict(list(rare.items())[:200])},
            )
        )
    if always:
        found.append(
            Finding(
                check="label_sets",
                severity=Severity.WARNING,
                title=f"On every row: {listed(always)}",
                meaning="A label that is always right tells texts apart as little as one that never is.",
                fix="Leave it out, or add rows that it does not fit.",
                count=len(always),
            )
        )
    if not found:
        found.append(
            Finding(
                check="label_sets",
                severity=Severity.GOOD,
                title=f"Every label is on at least {plural(min(counts.values()), 'row')}",
                meaning="Each can be learned, and scored on its own.",
                count=len(counts),
            )
        )
    return found


PLUGIN = Check("label_sets", "Rows of each label", 31, LABEL_SETS, run, "Labels")
