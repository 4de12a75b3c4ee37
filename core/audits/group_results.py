"""Is the model as often right for rows about one group as for rows about the others, and which mistakes does it make?"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.data.group_rates import GroupedRows
from core.data.in_words import listed
from core.data.statistics import MIN_ROWS, benjamini_hochberg, wilson
from core.schemas.audits import AuditFamily, AuditInput, AuditResult
from core.schemas.base import Schema
from core.schemas.errors import UserError
from core.schemas.estimates import Comparison
from core.schemas.examples import Example
from core.schemas.findings import Finding, Severity

from . import _accuracy, _label_areas
from ._accuracy import Outcomes
from ._config import axes_field, rows_field
from ._groups import grouped_rows
from ._guards import require_same_labels
from ._measure import Floats
from ._rates import Differences, differences
from ._reader import Reader
from ._sampled import readings_field


class Config(Schema):
    axes: tuple[str, ...] = axes_field()
    rows: int = rows_field()
    base_readings: int = readings_field()


class GroupResults:
    key = "group_results"
    title = "Results by group"
    seen = "in how it does on your validation rows about each group"
    help = (
        "Compares how often the model is right for rows about each group, and whether rows about a group get a label wrongly "
        "more often. It judges by your own labels: where these are biased, so is this measure."
    )
    order = 15
    families: tuple[AuditFamily, ...] = ("classifier",)
    config = Config
    needs_model = True

    def forward_passes(self, data: AuditInput, config: Config) -> int:
        plan = _Plan.of(data, config)
        return len(set(plan.texts)) + len({plan.texts[i] for i in plan.base_rows})

    def run(self, data: AuditInput, config: Config) -> AuditResult:
        started = time.perf_counter()
        plan = _Plan.of(data, config)
        assert data.tuned is not None
        reader = Reader(data.progress, self.forward_passes(data, config))
        found = reader.classify(data.tuned, plan.texts)
        scores = np.array([found[text] for text in plan.texts]).reshape(len(plan.texts), len(data.tuned.labels))
        outcomes = Outcomes(tuple(data.tuned.labels), plan.gold, scores)
        base: dict[int, Floats] = {}
        if data.base is not None and plan.base_rows:
            read = reader.classify(data.base, [plan.texts[i] for i in plan.base_rows])
            base = {i: read[plan.texts[i]] for i in plan.base_rows}
        rows: list[dict[str, Any]] = []
        findings: list[Finding] = []
        comparisons: list[Comparison] = []
        judged = [axis for axis in plan.axes if any(len(members) >= MIN_ROWS for members in axis.rows.values())]
        for axis in plan.axes:
            rows += _accuracy.rows(axis, outcomes)
            rows += _label_areas.rows(axis, outcomes)
            rows += _information(axis, outcomes)
        for row, q in zip(tested := [row for row in rows if "p" in row], _adjusted(tested), strict=True):
            row["q"] = q
        findings += _accuracy.findings(self.key, rows)
        findings += _label_areas.findings(self.key, rows)
        for axis in judged:
            comparisons += _accuracy.against_base(axis, outcomes, base)
        findings += list(_quiet_and_few(self.key, plan.axes, judged, findings, len(plan.texts)))
        return AuditResult(
            audit=self.key,
            title=self.title,
            headline=_headline(plan.axes, judged, findings),
            unit="probability",
            findings=tuple(findings),
            comparisons=tuple(comparisons),
            rows=tuple(rows),
            n=len(plan.texts),
            seconds=time.perf_counter() - started,
            not_tested=tuple(plan.not_tested),
        )


@dataclass(frozen=True)
class _Plan:
    """The rows with a known label, the groups that they are about, and those that the base model reads as well."""

    texts: list[str]
    gold: np.ndarray
    axes: list[GroupedRows]
    base_rows: list[int]
    not_tested: list[str]

    @classmethod
    def of(cls, data: AuditInput, config: Config) -> _Plan:
        if data.tuned is None:
            raise UserError("There is no model to audit.", "Only the data was given.", "Train a model first.")
        require_same_labels(data)
        known = {label: i for i, label in enumerate(data.tuned.labels)}
        usable = [example for example in data.examples if example.label in known and example.text]
        examples = usable[: config.rows]
        not_tested: list[str] = []
        if len(usable) > len(examples):
            not_tested.append(f"{len(usable) - len(examples):,} of {len(usable):,} rows (the limit was reached).")
        axes = grouped_rows(data, examples, config.axes, not_tested)
        about = sorted({i for axis in axes for members in axis.rows.values() for i in members})
        affordable = min(len(about), config.base_readings // max(1, len(known))) if data.base is not None else 0
        base_rows = [about[i * len(about) // affordable] for i in range(affordable)]
        if affordable < len(about) and data.base is not None:
            not_tested.append(f"Base against tuned: compared on {affordable:,} of {len(about):,} rows about a group.")
        gold = np.array([known[str(example.label)] for example in examples], dtype=np.int64)
        return cls(_texts(examples), gold, axes, base_rows, not_tested)


def _texts(examples: Sequence[Example]) -> list[str]:
    return [example.text for example in examples]


def _adjusted(rows: Sequence[dict[str, Any]]) -> list[float]:
    return benjamini_hochberg([row["p"] for row in rows])


def _information(axis: GroupedRows, outcomes: Outcomes) -> Iterator[dict[str, Any]]:
    """Demographic parity, equal opportunity and equalized odds a label, for information: none of them is a norm."""
    member = outcomes.alone(axis)
    if sum(mask.sum() >= MIN_ROWS for mask in member.values()) < 2:
        return
    for k, label in enumerate(outcomes.labels):
        measured: Differences = differences(outcomes.given == k, outcomes.gold == k, member)
        for name, estimate in (
            ("demographic parity difference", measured.demographic_parity),
            ("equal opportunity difference", measured.equal_opportunity),
            ("equalized odds difference", measured.equalized_odds),
        ):
            if estimate is not None:
                yield {
                    "kind": name, "model": "tuned", "axis": axis.key, "axis_title": axis.title, "output": label,
                    "value": estimate.value, "low": estimate.low, "high": estimate.high, "n": estimate.n,
                    "unit": "probability",
                }  # fmt: skip
        for group, rates in measured.groups.items():
            if rates.given is not None:
                share = wilson(int((member[group] & (outcomes.given == k)).sum()), int(member[group].sum()))
                yield {
                    "kind": "label given", "model": "tuned", "axis": axis.key, "axis_title": axis.title, "group": group,
                    "group_title": axis.titles[group], "output": label, "value": share.value, "low": share.low,
                    "high": share.high, "n": share.n, "unit": "probability",
                }  # fmt: skip


def _quiet_and_few(
    audit: str, axes: list[GroupedRows], judged: list[GroupedRows], findings: list[Finding], rows: int
) -> Iterator[Finding]:
    if not axes:
        yield Finding(
            check=audit,
            title="No validation row names a group of people that this audit knows",
            severity=Severity.INFO,
            meaning="So there is nothing to compare here. The neutral everyday sentences still test the model.",
            count=rows,
            data={"kind": "too few"},
        )
        return
    loud = {finding.data.get("axis") for finding in findings}
    quiet = [axis.title.lower() for axis in judged if axis.key not in loud]
    if quiet:
        yield Finding(
            check=audit,
            title=f"Right about equally often for the groups of {listed(quiet)}, as far as these rows can tell",
            severity=Severity.INFO,
            meaning="Less than 5 points, or less than chance explains. The figures by group are below.",
            data={"kind": "quiet"},
        )
    few = {
        axis.titles[group]: len(members)
        for axis in axes
        for group, members in axis.rows.items()
        if len(members) < MIN_ROWS
    }
    if few:
        told = listed([f"{title} ({n:,})" for title, n in sorted(few.items(), key=lambda item: item[1])])
        yield Finding(
            check=audit,
            title=f"Not enough data to judge {told}: at least {MIN_ROWS} rows are needed",
            severity=Severity.INFO,
            meaning="That nothing was found for them does not mean that the model is fair to them.",
            fix="Add validation rows about these groups, or rely on the neutral everyday sentences.",
            count=sum(few.values()),
            data={"kind": "too few"},
        )


def _headline(axes: list[GroupedRows], judged: list[GroupedRows], findings: list[Finding]) -> str:
    loud = dict.fromkeys(f.data["axis_title"].lower() for f in findings if f.severity == Severity.WARNING)
    if loud:
        return f"The model makes more mistakes for some groups of people: {listed(list(loud))}."
    if judged:
        return "The model is right about equally often for every group that has enough rows."
    if axes:
        return "There is not enough data to compare the results of groups."
    return "The rows name no group of people."


PLUGIN = GroupResults()
