"""Is there anything to learn at all? What is found here makes a training pointless."""

from __future__ import annotations

from collections import Counter

from core.schemas.findings import Finding, Severity

from ..health_rows import PARTS
from ._check import ALL, Check, visible
from ._context import Context


def run(context: Context) -> list[Finding]:
    rows = context.rows
    if rows == 0:
        if (empty := _empty_column(context)) is not None:
            return [empty]
        return [
            _stop(
                "There are no examples",
                "No row of the file could be turned into an example, so there is nothing to train on.",
                "Check that the right columns are chosen, and that they are filled.",
            )
        ]
    findings = []
    filled = {key for key in context.folded if key}
    if rows > 1 and len(filled) == 1:
        findings.append(
            _stop(
                f"All {rows:,} texts are identical",
                f"Every row says “{visible(next(t for t in context.texts if t.strip()))}”. Where all texts are the "
                "same, nothing can be learned from them.",
                "Check that the text column is the right one, or add examples that differ.",
                context.ids(range(rows)),
                rows,
            )
        )
    if context.shape == "labels":
        findings += _labels(context)
    if context.shape == "label_sets" and not any(context.label_sets):
        findings.append(
            _stop(
                "No row has a label",
                "The model learns which labels fit a text, and there are none.",
                "Choose the column that holds the labels, or choose another task.",
            )
        )
    if context.shape == "numbers" and len(set(context.values)) == 1:
        findings.append(
            _stop(
                f"All numbers are the same: {context.values[0]:g}",
                "A model that always says this number is right every time: there is nothing to learn.",
                "Check that the number column is the right one.",
                context.ids(range(rows)),
                rows,
            )
        )
    if context.shape == "messages" and not any(e.reference.strip() for e in context.talks):
        findings.append(
            _stop(
                "No conversation has an answer",
                "The model learns from the answers of the assistant, and there are none.",
                "Check which column holds the answers, and that the roles in the conversations are named correctly.",
                context.ids(range(rows)),
                rows,
            )
        )
    return findings


def _empty_column(context: Context) -> Finding | None:
    """Where every row fails for the same missing part, the column that should hold it."""
    reasons = Counter(context.skipped.values())
    if len(reasons) != 1:
        return None
    part = next(iter(reasons)).removeprefix("no ")
    role = next((role for role, name in PARTS.items() if name == part), "")
    column = context.around.columns.get(role)
    if not column:
        return None
    return _stop(
        f"The column “{visible(column)}” is empty",
        f"It should hold the {part} of each row, and none of the {len(context.skipped):,} rows has one. There is nothing to "
        "learn from.",
        f"Fill the column, or choose another column for the {part}.",
        tuple(context.skipped)[:200],
        len(context.skipped),
    )


def _labels(context: Context) -> list[Finding]:
    classes = {c for c in context.classes if c}
    if len(classes) > 1:
        return []
    if not classes:
        column = context.around.columns.get("label")
        return [
            _stop(
                f"The column “{visible(column)}” holds no label" if column else "No row has a label",
                "A classifier learns to give the label that belongs to a text, and there are no labels.",
                "Choose the column that holds the labels, or choose another task.",
            )
        ]
    labelled = [i for i, label in enumerate(context.classes) if label]
    return [
        _stop(
            f"There is only one label: “{visible(classes.pop())}”",
            "With only one label nothing can be learned: a model that always gives it is right every time.",
            "Add examples of at least one other label, or check that the label column is the right one.",
            context.ids(labelled),
            len(labelled),
        )
    ]


def _stop(title: str, meaning: str, fix: str, rows: tuple[str, ...] = (), count: int = 0) -> Finding:
    return Finding(
        check="learnable",
        severity=Severity.ERROR,
        title=title,
        meaning=meaning,
        fix=fix,
        count=count,
        row_ids=rows,
        data={"blocks": True},
    )


PLUGIN = Check("learnable", "Something to learn", 5, ALL, run, "Enough to learn from")
