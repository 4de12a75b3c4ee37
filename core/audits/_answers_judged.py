"""One measure of written answers on one kind of group: beyond the noise floor, by group, against the base, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from core.data.audit_words import amount
from core.data.lexicon import Lexicon
from core.data.statistics import MIN_ROWS, verdict
from core.schemas.estimates import Comparison, Estimate
from core.schemas.findings import Finding, Severity

from ._measure import Floats
from ._prompts import PromptPair
from ._samples import Kind, Values, mean_by_unit


class Judged:
    """One measure on one axis, of both models."""

    def __init__(
        self, lexicon: Lexicon, kind: Kind, axis: str, pairs: Sequence[PromptPair], mine: Values, theirs: Values | None
    ) -> None:
        keep = np.array([pair.axis == axis for pair in pairs])
        self.kind, self.axis = kind, lexicon.axis(axis)
        self.pairs = [pair for pair in pairs if pair.axis == axis]
        self.units = [pair.unit for pair in self.pairs]
        self.mine = Values(*(side[keep] for side in mine))
        self.theirs = Values(*(side[keep] for side in theirs)) if theirs is not None else None
        self.excess, self.p = mean_by_unit(self.mine.excess, self.units, self.mine.most)

    def rows(self) -> Iterator[dict[str, Any]]:
        about = {"axis": self.axis.key, "axis_title": self.axis.title, "unit": self.kind.unit, "pairs": len(self.pairs)}
        for model, values in (("tuned", self.mine), ("base", self.theirs)):
            if values is not None:
                estimate, p = mean_by_unit(values.excess, self.units, values.most)
                yield about | {
                    "kind": f"{self.kind.key}: beyond the noise floor", "model": model, "value": estimate.value,
                    "low": estimate.low, "high": estimate.high, "n": estimate.n, "floor": values.floor,
                } | ({"p": p} if model == "tuned" else {})  # fmt: skip
        for group, (moved, units) in self._by_group().items():
            estimate, p = mean_by_unit(moved, units, self.mine.most)
            yield about | {
                "kind": f"{self.kind.key}: group minus others", "model": "tuned", "group": group,
                "group_title": self.axis.group(group).title, "value": estimate.value, "low": estimate.low,
                "high": estimate.high, "n": estimate.n, "p": p,
            }  # fmt: skip

    def _by_group(self) -> dict[str, tuple[Floats, list[str]]]:
        """The signed differences in which a group takes part, its own side minus the other."""
        moved = self.mine.moved
        found = {}
        for group in dict.fromkeys(g for pair in self.pairs for g in (pair.from_group, pair.to_group)):
            mine = [i for i, pair in enumerate(self.pairs) if group in (pair.from_group, pair.to_group)]
            signs = np.array([1.0 if self.pairs[i].to_group == group else -1.0 for i in mine])
            found[group] = (moved[mine] * signs, [self.units[i] for i in mine])
        return found

    def comparison(self) -> Iterator[Comparison]:
        if self.theirs is not None:
            most = max(self.mine.most, self.theirs.most)
            change, p = mean_by_unit(self.mine.excess - self.theirs.excess, self.units, most)
            yield Comparison(
                metric=f"{self.axis.title}: {self.kind.title}", base=mean_by_unit(self.theirs.excess, self.units, most)[0],
                tuned=self.excess, change=change, verdict=verdict(change, higher_is_better=False), p=p,
                test="paired bootstrap by prompt",
            )  # fmt: skip

    def finding(self, audit: str, auditor: Estimate | None) -> Iterator[Finding]:
        enough = self.excess.n >= MIN_ROWS and self.excess.low is not None
        data = {
            "axis": self.axis.key,
            "axis_title": self.axis.title,
            "kind": self.kind.key,
            "p": self.p,
            "unit": "texts",
        }
        if not enough:
            yield Finding(
                check=audit,
                severity=Severity.INFO,
                title=f"{self.axis.title}: not enough data to compare {self.kind.title} ({self.excess.n} prompts of {MIN_ROWS})",
                data=data | {"kind": "too few"},
            )
            return
        apart = (self.excess.low or 0) > 0 and self.excess.value >= self.kind.noticeable
        floor = amount(self.mine.floor, self.kind.unit)
        meaning = (
            f"Answers about two groups differ by {amount(self.excess.value, self.kind.unit)} more than two sets of answers to "
            f"the same prompt, which differ by {floor} ({self.excess.n:,} prompts)."
        )
        own = auditor is not None and auditor.value >= self.excess.value
        if auditor is not None:
            meaning += (
                f" The scorer itself judges the same neutral sentence by {amount(auditor.value, 'probability')} differently "
                "for two groups."
            )
        if apart and own:
            yield Finding(
                check=audit,
                severity=Severity.INFO,
                title=f"{self.axis.title}: not judged, because your scorer treats groups as differently as what it found",
                meaning=meaning,
                fix="Use another scorer, or judge such answers by reading them.",
                count=self.excess.n,
                data=data | {"kind": "scorer refused"},
            )
        elif apart:
            yield Finding(
                check=audit,
                severity=Severity.WARNING,
                title=f"{self.axis.title}: {self.kind.title} differs with who the prompt is about{self._most()}",
                meaning=meaning,
                fix="Read the examples. Train with swapped copies of the rows (counterfactual augmentation), and audit again.",
                count=self.excess.n,
                data=data,
            )
        else:
            yield Finding(
                check=audit,
                severity=Severity.INFO,
                title=f"{self.axis.title}: no noticeable difference in {self.kind.title}",
                meaning=meaning,
                count=self.excess.n,
                data=data | {"kind": "quiet"},
            )

    def _most(self) -> str:
        """Which group gets more, where one clearly does."""
        found = []
        for group, (moved, units) in self._by_group().items():
            estimate, _ = mean_by_unit(moved, units, self.mine.most)
            if estimate.low is not None and estimate.low > 0:
                found.append((estimate.value, self.axis.group(group).title))
        if not found:
            return ""
        value, title = max(found)
        return f": {amount(value, self.kind.unit)} more for {title}"
