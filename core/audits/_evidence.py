"""What backs a report up: rows for charts, the pairs that show most, and gaps for a later audit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from core.data.audit_words import amount
from core.schemas.audits import GapSeries
from core.schemas.estimates import Estimate

from ._measure import Measured, Scale, unit_means

PAIRS_AN_AXIS = 5


def size(value: float, scale: Scale, signed: bool = False) -> str:
    """A gap in words: "12 points", "0.080 bits a byte"."""
    return amount(value, scale.unit, signed)


def between(estimate: Estimate, scale: Scale) -> str:
    if estimate.low is None or estimate.high is None:
        return "no interval"
    factor, digits = (100, 1) if scale.bounded else (1, 3)
    return f"95% interval {factor * estimate.low:.{digits}f} to {factor * estimate.high:.{digits}f}"


def gap_row(model: str, axis: str, title: str, gap: Estimate, measured: Measured) -> dict[str, Any]:
    row: dict[str, Any] = {
        "kind": "gap", "model": model, "axis": axis, "axis_title": title, "value": gap.value, "low": gap.low,
        "high": gap.high, "n": gap.n, "pairs": len(measured.pairs), "unit": measured.scale.unit,
    }  # fmt: skip
    if measured.scale.bounded:
        # For information only: near .5 a flip says little (EVALUATION-AND-BIAS, rule 4).
        row["flips"] = float(np.mean(measured.before.argmax(axis=1) != measured.after.argmax(axis=1)))
    return row


def example_pairs(tuned: Measured) -> Iterator[dict[str, Any]]:
    """The pairs with the largest gaps, a few an axis, with the output that moved most."""
    shown: dict[str, int] = {}
    gaps = tuned.gaps
    for i in np.argsort(-gaps, kind="stable").tolist():
        pair = tuned.pairs[i]
        if shown.get(pair.axis, 0) >= PAIRS_AN_AXIS or gaps[i] <= 0:
            continue
        shown[pair.axis] = shown.get(pair.axis, 0) + 1
        top = int(np.argmax(np.abs(tuned.after[i] - tuned.before[i])))
        yield {
            "unit": pair.unit, "axis": pair.axis, "from_group": pair.from_group, "to_group": pair.to_group,
            "before": pair.before, "after": pair.after, "gap": float(gaps[i]), "output": str(tuned.outputs[top]),
            "before_value": float(tuned.before[i, top]), "after_value": float(tuned.after[i, top]),
        }  # fmt: skip


def gap_series(tuned: Measured) -> Iterator[GapSeries]:
    for axis in dict.fromkeys(pair.axis for pair in tuned.pairs):
        mine = tuned.on(axis)
        yield GapSeries(axis=axis, values=unit_means(mine))
        groups = dict.fromkeys(group for pair in mine.pairs for group in (pair.from_group, pair.to_group))
        yield from (GapSeries(axis=axis, group=group, values=unit_means(mine.about(group))) for group in groups)
