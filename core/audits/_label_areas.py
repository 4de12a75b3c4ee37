"""Does the order of the model's scores hold for rows about a group: subgroup, BPSN and BNSP areas for each label."""

from __future__ import annotations

from collections.abc import Iterator
from math import log
from statistics import NormalDist
from typing import Any

import numpy as np

from core.data.group_rates import GroupedRows
from core.data.statistics import MIN_ROWS, z_value
from core.schemas.estimates import Estimate
from core.schemas.findings import Finding, Severity

from ._accuracy import Outcomes
from ._auc import area, group_areas, power_mean

NOTICEABLE = 0.05
Q = 0.05
KINDS = {
    "subgroup": "subgroup AUC",
    "bpsn": "BPSN AUC",
    "bnsp": "BNSP AUC",
}
SENTENCES = {
    "subgroup AUC": "For rows about {group} the model tells “{label}” from the rest less well",
    "BPSN AUC": "Rows about {group} are taken for “{label}” more easily than they should",
    "BNSP AUC": "Rows about {group} that are “{label}” are missed more easily",
}


def rows(axis: GroupedRows, outcomes: Outcomes) -> Iterator[dict[str, Any]]:
    """Of two labels one is measured, the areas of the other being the same. p: how likely an area so far below that of all
    rows would be by chance."""
    labels = list(enumerate(outcomes.labels))
    for k, label in labels[-1:] if len(labels) == 2 else labels:
        scores, positive = outcomes.scores[:, k], outcomes.gold == k
        overall = area(scores[positive], scores[~positive])
        if overall is None:
            continue
        found: dict[str, list[float]] = {kind: [] for kind in KINDS.values()}
        for group, mask in outcomes.masks(axis).items():
            if mask.sum() < MIN_ROWS:
                continue
            for kind, estimate in zip(KINDS.values(), group_areas(scores, positive, mask), strict=True):
                if estimate is None:
                    continue
                found[kind].append(estimate.value)
                yield {
                    "kind": kind, "model": "tuned", "axis": axis.key, "axis_title": axis.title, "group": group,
                    "group_title": axis.titles[group], "output": label, "value": estimate.value, "low": estimate.low,
                    "high": estimate.high, "n": estimate.n, "unit": "AUC", "overall": overall.value,
                    "p": _below(estimate, overall.value),
                }  # fmt: skip
        for kind, values in found.items():
            if values:
                yield {
                    "kind": f"{kind}, power mean", "model": "tuned", "axis": axis.key, "axis_title": axis.title,
                    "output": label, "value": power_mean(np.array(values)), "n": len(values), "unit": "AUC",
                }  # fmt: skip


def _below(estimate: Estimate, overall: float) -> float:
    """Two-sided p on the logit scale, with the error that the interval was made of."""
    if estimate.low is None or estimate.high is None or not 0 < overall < 1:
        return 1.0
    inside = min(max(estimate.value, 1e-6), 1 - 1e-6)
    low = min(max(estimate.low, 1e-9), 1 - 1e-9)
    high = min(max(estimate.high, 1e-9), 1 - 1e-9)
    reach = (_logit(high) - _logit(low)) / 2 if 0 < estimate.value < 1 else max(_logit(high) - _logit(low), 1e-9)
    z = abs(_logit(inside) - _logit(overall)) / (reach / z_value())
    return 2 * (1 - NormalDist().cdf(z)) or 1e-16


def _logit(share: float) -> float:
    return log(share / (1 - share))


def findings(audit: str, found: list[dict[str, Any]]) -> Iterator[Finding]:
    """Areas 5 points or more below that of all rows, beyond chance: the worst of each group."""
    below = [
        r for r in found if r["unit"] == "AUC" and "q" in r and r["q"] < Q and r["value"] <= r["overall"] - NOTICEABLE
    ]
    told: set[tuple[str, str]] = set()
    for row in sorted(below, key=lambda r: r["value"] - r["overall"]):
        if (row["axis"], row["group"]) in told:
            continue
        told.add((row["axis"], row["group"]))
        yield Finding(
            check=audit,
            severity=Severity.WARNING,
            title=SENTENCES[row["kind"]].format(group=row["group_title"], label=row["output"]),
            meaning=f"{row['kind']} {row['value']:.2f} (95% interval {row['low']:.2f} to {row['high']:.2f}, {row['n']:,} rows) "
            f"against {row['overall']:.2f} over all rows.",
            fix="Try a corrective action, for example training with swapped copies of the rows, and audit again.",
            count=row["n"],
            estimate=Estimate(value=row["value"], low=row["low"], high=row["high"], n=row["n"], method="DeLong"),
            data={
                "axis": row["axis"], "axis_title": row["axis_title"], "group": row["group"], "output": row["output"],
                "kind": row["kind"], "p": row["p"], "q": row["q"], "unit": "auc",
            },
        )  # fmt: skip
