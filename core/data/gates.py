"""The double gate: a corrective action counts only where the gap shrank and nothing else was paid for it.

A collapsed model looks perfectly fair, so a smaller gap alone proves nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import ceil

import numpy as np

from core.schemas.audits import AuditResult, GapSeries, GateResult, GateState
from core.schemas.errors import UserError
from core.schemas.estimates import Estimate

from .statistics import (
    MIN_ROWS,
    benjamini_hochberg,
    bootstrap_p,
    independent,
    interval_of,
    paired_bootstrap,
    ratio_of_sums,
    resample_sums,
)

MOST_LOSS = 0.02
"""The main metric may not be able to have fallen by as much as this (house default: two points)."""
COLLAPSED = 0.95
SMALLEST = 0.01
"""A gap that changed by less than this is called neither better nor worse however narrow its interval (house default)."""
Q = 0.05


def verify(
    before: AuditResult,
    after: AuditResult,
    quality_before: Mapping[str, float],
    quality_after: Mapping[str, float],
    axes: Collection[str] | None = None,
) -> GateResult:
    """Judge a corrective action by the same audit before and after it.

    `quality_*` are the main metric of each held-out row by row id, higher is better, 1 being the best possible (for
    accuracy 0 or 1). `axes` are those that the action was meant for (None: all). Raises UserError where the two audits
    or the two evaluations share nothing.
    """
    if (before.audit, before.unit) != (after.audit, after.unit):
        raise ValueError(f"{before.audit} in {before.unit} cannot be compared with {after.audit} in {after.unit}")
    gap = _gap_change(before, after, axes)
    quality = _quality_change(quality_before, quality_after)
    collapsed = _has_collapsed(before, after)
    changes, worse = _group_changes(before, after)
    return double_gate(gap, quality, changes, worse, collapsed, after.unit)


def together(judged: Collection[GateResult]) -> GateState:
    """How an action ended by all audits that judged it: refused where one refuses it, verified where one verified it and none
    refuses. An audit that found hardly a gap before has nothing that could shrink, so it need not verify."""
    states = {result.state for result in judged}
    if GateState.REFUSED in states:
        return GateState.REFUSED
    return GateState.VERIFIED if GateState.VERIFIED in states else GateState.NOT_VERIFIED


def double_gate(
    gap: Estimate,
    quality: Estimate,
    group_changes: Mapping[str, Estimate] | None = None,
    worse: Collection[str] = (),
    collapsed: bool = False,
    unit: str = "probability",
) -> GateResult:
    """`gap` and `quality` are changes, after minus before; `worse` names the groups of `group_changes` whose gap grew
    significantly. Verified: the interval of the gap lies below 0, quality cannot have fallen by two points, no group
    got worse, and the model still decides. Refused: harm is shown. Otherwise not verified.
    """
    verdicts = [
        ("collapse", *_judge_collapse(collapsed)),
        ("gap", *_judge_gap(gap, unit)),
        ("quality", *_judge_quality(quality)),
        ("groups", *_judge_groups(worse)),
    ]
    states = [state for _, state, _ in verdicts]
    if GateState.REFUSED in states:
        state = GateState.REFUSED
    else:
        state = GateState.NOT_VERIFIED if GateState.NOT_VERIFIED in states else GateState.VERIFIED
    return GateResult(
        state=state,
        gates=tuple(gate for gate, its, _ in verdicts if its != GateState.VERIFIED),
        reasons=tuple(reason for _, _, reason in verdicts if reason),
        gap_change=gap,
        quality_change=quality,
        group_changes=dict(group_changes or {}),
    )


def _judge_gap(gap: Estimate, unit: str) -> tuple[GateState, str]:
    told = f"{_size(gap, unit)} ({gap.n:,} independent cases)"
    if gap.low is None or gap.high is None or gap.n < MIN_ROWS:
        return GateState.NOT_VERIFIED, f"Too few cases to say whether the gap between groups shrank: {gap.n:,}."
    if (gap.high < 0 or gap.low > 0) and abs(gap.value) < SMALLEST:
        return GateState.NOT_VERIFIED, f"The gap between groups changed by too little to matter: {told}."
    if gap.high < 0:
        return GateState.VERIFIED, f"The gap between groups became smaller: {told}."
    if gap.low > 0:
        return GateState.REFUSED, f"The gap between groups became larger: {told}."
    return GateState.NOT_VERIFIED, f"There is no evidence that the gap between groups became smaller: {told}."


def _judge_quality(quality: Estimate) -> tuple[GateState, str]:
    told = f"{_size(quality, 'probability')} on {quality.n:,} held-out rows"
    if quality.n < MIN_ROWS:
        return (
            GateState.NOT_VERIFIED,
            f"Too few held-out rows to say whether the model is still as good: {quality.n:,}.",
        )
    if quality.low is None or quality.high is None:
        return GateState.NOT_VERIFIED, "Whether the model is still as good cannot be said: there is no interval."
    if quality.low > -MOST_LOSS:
        return GateState.VERIFIED, f"The model is as good as before within {MOST_LOSS * 100:.0f} points: {told}."
    if quality.value <= -MOST_LOSS or quality.high < 0:
        return GateState.REFUSED, f"The model became worse at its task: {told}."
    needed = ceil(quality.n * ((quality.value - quality.low) / (quality.value + MOST_LOSS)) ** 2)
    return (
        GateState.NOT_VERIFIED,
        f"A loss of {MOST_LOSS * 100:.0f} points cannot be ruled out: {told}. About {needed:,} held-out rows could.",
    )


def _judge_groups(worse: Collection[str]) -> tuple[GateState, str]:
    if not worse:
        return GateState.VERIFIED, ""
    return GateState.REFUSED, f"For some groups the gap became larger: {', '.join(worse)}."


def _judge_collapse(collapsed: bool) -> tuple[GateState, str]:
    if not collapsed:
        return GateState.VERIFIED, ""
    return (
        GateState.REFUSED,
        "The model now gives nearly every row the same answer. That makes every gap vanish, but it decides nothing.",
    )


def _has_collapsed(before: AuditResult, after: AuditResult) -> bool:
    if after.top_class_share is None or after.top_class_share.value < COLLAPSED:
        return False
    return before.top_class_share is None or before.top_class_share.value < COLLAPSED


def _gap_change(before: AuditResult, after: AuditResult, axes: Collection[str] | None) -> Estimate:
    """Mean change of the gap over the axes, paired by unit; units are drawn whole, over all axes together."""
    values: list[float] = []
    units: list[str] = []
    for first, second in _shared(before, after):
        if first.group or (axes is not None and first.axis not in axes):
            continue
        for unit in first.values.keys() & second.values.keys():
            units.append(unit)
            values.append(second.values[unit] - first.values[unit])
    if not values:
        raise UserError(
            "The two audits cannot be compared.",
            "They have no text in common, so a difference could come from the texts alone.",
            "Audit both models on the same rows, with the same settings.",
        )
    order = sorted(range(len(units)), key=lambda i: units[i])
    return _mean([values[i] for i in order], [units[i] for i in order])[0]


def _quality_change(before: Mapping[str, float], after: Mapping[str, float]) -> Estimate:
    shared = sorted(before.keys() & after.keys())
    if not shared:
        raise UserError(
            "The two models cannot be compared.",
            "They were evaluated on different rows.",
            "Evaluate both on the same held-out rows.",
        )
    first, second = [before[row] for row in shared], [after[row] for row in shared]
    if first == second:
        return Estimate(value=0.0, n=len(shared), low=0.0, high=0.0, method="identical on every row")
    return paired_bootstrap(first, second, bounds=(-1.0, 1.0))


def _group_changes(before: AuditResult, after: AuditResult) -> tuple[dict[str, Estimate], list[str]]:
    """Change of each group's gap, and the groups that got significantly worse (q < .05 over all groups)."""
    changes: dict[str, Estimate] = {}
    p_values: list[float] = []
    for first, second in _shared(before, after):
        units = sorted(first.values.keys() & second.values.keys())
        if not first.group or len(units) < MIN_ROWS:
            continue
        change, p = _mean([second.values[unit] - first.values[unit] for unit in units], units)
        changes[f"{first.axis}: {first.group}"] = change
        p_values.append(p)
    adjusted = benjamini_hochberg(p_values)
    worse = [
        name
        for (name, change), q in zip(changes.items(), adjusted, strict=True)
        if q < Q and change.low is not None and change.low > 0 and change.value >= SMALLEST
    ]
    return changes, worse


def _shared(before: AuditResult, after: AuditResult) -> list[tuple[GapSeries, GapSeries]]:
    then = {(series.axis, series.group): series for series in before.gaps}
    return [(then[s.axis, s.group], s) for s in after.gaps if (s.axis, s.group) in then]


def _mean(values: list[float], units: list[str]) -> tuple[Estimate, float]:
    column = np.array(values)
    n = independent(units, len(units))
    if not column.any():
        return Estimate(value=0.0, n=n, low=0.0, high=0.0, method="identical everywhere"), 1.0
    samples = ratio_of_sums(resample_sums(np.column_stack([column, np.ones_like(column)]), units))
    return interval_of(float(column.mean()), samples, n, (-1.0, 1.0), grouped=True), bootstrap_p(samples)


def _size(change: Estimate, unit: str) -> str:
    factor, digits, name = (100, 1, "points") if unit == "probability" else (1, 3, unit)
    low, high = (factor * (bound if bound is not None else 0.0) for bound in (change.low, change.high))
    return f"{factor * change.value:+.{digits}f} {name}, 95% interval {low:+.{digits}f} to {high:+.{digits}f}"
