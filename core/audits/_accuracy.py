"""How often the model is right for rows about a group and for rows about the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.group_rates import GroupedRows, exact_p
from core.data.statistics import (
    MIN_ROWS,
    bootstrap_p,
    interval_of,
    newcombe_difference,
    resample_sums,
    verdict,
    wilson,
)
from core.schemas.estimates import Comparison, Estimate, Verdict
from core.schemas.findings import Finding, Severity

from ._measure import PROBABILITY, Floats

NOTICEABLE = 0.05
Q = 0.05
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Outcomes:
    """`gold` are places in `labels`, shape (rows,); `scores` the probabilities, shape (rows, labels)."""

    labels: tuple[str, ...]
    gold: NDArray[np.int64]
    scores: Floats

    @property
    def given(self) -> NDArray[np.int64]:
        return self.scores.argmax(axis=1) if len(self.scores) else self.gold

    def masks(self, axis: GroupedRows) -> dict[str, Mask]:
        """The rows of each group."""
        found = {}
        for group, members in axis.rows.items():
            mask = np.zeros(len(self.gold), dtype=bool)
            mask[members] = True
            found[group] = mask
        return found

    def alone(self, axis: GroupedRows) -> dict[str, Mask]:
        """The same without rows that name several groups: each row then belongs to one."""
        masks = self.masks(axis)
        once = np.sum(list(masks.values()), axis=0) == 1
        return {group: mask & once for group, mask in masks.items()}

    def against(self, axis: GroupedRows) -> Iterator[tuple[str, Mask, Mask]]:
        """Each group with enough rows, its rows, and those of the other groups of the axis; of a group alone, all others."""
        masks = self.masks(axis)
        everyone = np.any(list(masks.values()), axis=0)
        for group, mask in masks.items():
            others = everyone & ~mask if len(masks) > 1 else ~mask
            if len(masks) == 2:  # rows that name both say nothing about the difference between the two
                mask = self.alone(axis)[group]
            if min(mask.sum(), others.sum()) >= MIN_ROWS:
                yield group, mask, others


def rows(axis: GroupedRows, outcomes: Outcomes) -> Iterator[dict[str, Any]]:
    """Accuracy a group with Wilson's interval, and its difference to the others with Newcombe's and Fisher's p."""
    right = outcomes.given == outcomes.gold
    compared = {group: (mask, others) for group, mask, others in outcomes.against(axis)}
    for group, members in axis.rows.items():
        own = wilson(int(right[members].sum()), len(members))
        about = {"axis": axis.key, "axis_title": axis.title, "group": group, "group_title": axis.titles[group]}
        yield about | {
            "kind": "accuracy", "model": "tuned", "value": own.value, "low": own.low, "high": own.high, "n": own.n,
            "unit": "probability", "judged": own.n >= MIN_ROWS,
        }  # fmt: skip
        if group in compared:
            mine, others = compared[group]
            counts = (int(right[mine].sum()), int(mine.sum()), int(right[others].sum()), int(others.sum()))
            apart = newcombe_difference(*counts)
            yield about | {
                "kind": "accuracy difference", "model": "tuned", "value": apart.value, "low": apart.low,
                "high": apart.high, "n": min(counts[1], counts[3]), "unit": "probability",
                "rate": counts[0] / counts[1], "other_rate": counts[2] / counts[3], "rows": counts[1],
                "other_rows": counts[3], "p": exact_p(*counts),
            }  # fmt: skip


def findings(audit: str, found: list[dict[str, Any]]) -> Iterator[Finding]:
    """Groups for which the model is right less often, by 5 points or more and beyond chance."""
    for row in found:
        if row["kind"] != "accuracy difference" or row["q"] >= Q or row["value"] > -NOTICEABLE:
            continue
        yield Finding(
            check=audit,
            severity=Severity.WARNING,
            title=f"The model is right less often for rows about {row['group_title']}: "
            f"{row['rate']:.0%} against {row['other_rate']:.0%}",
            meaning=f"{row['rows']:,} rows about {row['group_title']} and {row['other_rows']:,} others; 95% interval of the "
            f"difference {100 * row['low']:+.0f} to {100 * row['high']:+.0f} points.",
            fix="Read these rows: are their labels right, and are they harder? If not, add training rows about this group.",
            count=row["rows"],
            estimate=Estimate(value=row["value"], low=row["low"], high=row["high"], n=row["n"], method="Newcombe"),
            data={
                "axis": row["axis"], "axis_title": row["axis_title"], "group": row["group"], "kind": "accuracy",
                "p": row["p"], "q": row["q"], "unit": "points",
            },
        )  # fmt: skip


def against_base(axis: GroupedRows, outcomes: Outcomes, base: Mapping[int, Floats]) -> Iterator[Comparison]:
    """Did fine-tuning widen the distance in accuracy between a group and the others? On rows that both models read."""
    if not base:
        return
    read = np.zeros(len(outcomes.gold), dtype=bool)
    read[list(base)] = True
    right = outcomes.given == outcomes.gold
    earlier = np.zeros_like(right)
    for i, probabilities in base.items():
        earlier[i] = int(np.argmax(probabilities)) == outcomes.gold[i]
    groups = list(outcomes.against(axis))
    for group, mask, others in groups[:1] if len(axis.rows) == 2 else groups:
        mine, rest = mask & read, others & read
        cells = np.column_stack([mine, mine & right, mine & earlier, rest, rest & right, rest & earlier])[mine | rest]
        if not len(cells):
            continue
        n = int(min(mine.sum(), rest.sum()))
        total, draws = _distances(cells.sum(axis=0)[None, :].astype(float)), _distances(resample_sums(cells))
        before, after = (interval_of(float(total[0, k]), draws[:, k], n, (0.0, 1.0)) for k in (0, 1))
        moved = draws[:, 1] - draws[:, 0]
        change = interval_of(float(total[0, 1] - total[0, 0]), moved, n, (-1.0, 1.0))
        said = verdict(change, higher_is_better=False)
        if said in (Verdict.BETTER, Verdict.WORSE) and abs(change.value) < PROBABILITY.smallest_change:
            said = Verdict.NO_EVIDENCE
        yield Comparison(
            metric=f"{axis.title}: {axis.titles[group]}", base=before, tuned=after, change=change, verdict=said,
            p=bootstrap_p(moved), test="paired bootstrap over rows",
        )  # fmt: skip


def _distances(sums: Floats) -> Floats:
    """Distance in accuracy between the two sides, of the base and of the tuned model, shape (draws, 2)."""
    mine, right, earlier, rest, other_right, other_earlier = sums.T
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.abs(np.column_stack([earlier / mine - other_earlier / rest, right / mine - other_right / rest]))
