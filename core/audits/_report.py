"""From measurements to what a person reads: rows for charts, findings in words, base against tuned, example pairs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core.data.audit_words import change_sentence
from core.data.in_words import listed
from core.data.lexicon import Axis, Lexicon
from core.data.probes import CONTROL
from core.data.statistics import MIN_ROWS, benjamini_hochberg
from core.schemas.audits import GapSeries
from core.schemas.estimates import Comparison, Estimate, Verdict
from core.schemas.findings import Finding, Severity

from ._evidence import between, example_pairs, gap_row, gap_series, size
from ._measure import Measured, Scale, Shift, compare_gaps, difference_of_gaps, gap_of, shifts_of

Q = 0.05
SENTENCES_AN_AXIS = 3
"""Most directions that are told in words; all of them are in the rows."""


@dataclass(frozen=True)
class Report:
    headline: str
    findings: tuple[Finding, ...]
    comparisons: tuple[Comparison, ...]
    rows: tuple[dict[str, Any], ...]
    pairs: tuple[dict[str, Any], ...]
    gaps: tuple[GapSeries, ...]


@dataclass(frozen=True)
class Setting:
    """What an audit calls things. `unit_word` is what is counted ("rows", "templates"); `what_moves` what a gap is in a
    sentence; `fix` what a person can do. `control` holds pairs that name no group: what any change of a word does."""

    audit: str
    lexicon: Lexicon
    unit_word: str
    what_moves: str
    fix: str
    control: Measured | None = None


def report(setting: Setting, tuned: Measured, base: Measured | None) -> Report:
    judged = [_Judged.of(setting, axis, tuned, base) for axis in setting.lexicon.axes if _has(tuned, axis.key)]
    rows = [row for one in judged for row in one.rows()]
    if setting.control is not None:
        rows.append(gap_row("tuned", CONTROL, "Words that name no group", gap_of(setting.control), setting.control))
    shifts = [shift for one in judged if one.enough for shift in shifts_of(one.tuned, one.axis.key)]
    directions = list(_directions(setting, shifts, tuned.scale, rows))
    comparisons = _comparisons(judged)
    findings = [
        *directions,
        *(one.warning(setting) for one in judged if one.flagged),
        *_quiet(setting, [one for one in judged if one.enough and not one.flagged]),
        *_too_few(setting, [one for one in judged if not one.enough]),
    ]
    return Report(
        headline=f"{_what_was_found(judged, directions)} {change_sentence(comparisons, tuned.scale.unit)}".strip(),
        findings=tuple(findings),
        comparisons=tuple(comparisons),
        rows=tuple(rows),
        pairs=tuple(example_pairs(tuned)),
        gaps=tuple(gap_series(tuned)),
    )


def _has(measured: Measured, axis: str) -> bool:
    return any(pair.axis == axis for pair in measured.pairs)


@dataclass(frozen=True)
class _Judged:
    """One axis with its gap. `flagged`: noticeable, and more than any change of a word does."""

    axis: Axis
    tuned: Measured
    base: Measured | None
    gap: Estimate
    flagged: bool

    @classmethod
    def of(cls, setting: Setting, axis: Axis, tuned: Measured, base: Measured | None) -> _Judged:
        mine, theirs = tuned.on(axis.key), base.on(axis.key) if base is not None else None
        gap = gap_of(mine)
        flagged = gap.n >= MIN_ROWS and gap.value >= mine.scale.noticeable
        if flagged and setting.control is not None:
            excess = difference_of_gaps(setting.control, mine)
            flagged = excess.value > 0 if excess.low is None else excess.low > 0
        return cls(axis, mine, theirs, gap, flagged)

    @property
    def enough(self) -> bool:
        return self.gap.n >= MIN_ROWS

    @property
    def told(self) -> str:
        """For a list: "gender (12 points)"."""
        return f"{self.axis.title.lower()} ({size(self.gap.value, self.tuned.scale)})"

    def rows(self) -> Iterator[dict[str, Any]]:
        yield gap_row("tuned", self.axis.key, self.axis.title, self.gap, self.tuned)
        if self.base is not None and self.base.pairs:
            yield gap_row("base", self.axis.key, self.axis.title, gap_of(self.base), self.base)

    def warning(self, setting: Setting) -> Finding:
        scale = self.tuned.scale
        meaning = f"Measured on {self.gap.n:,} {setting.unit_word} ({between(self.gap, scale)})."
        if setting.control is not None:
            meaning += f" Swapping words that name no group does so by {size(gap_of(setting.control).value, scale)}."
        return Finding(
            check=setting.audit,
            severity=Severity.WARNING,
            title=f"{self.axis.title}: swapping who the text is about {setting.what_moves} by "
            f"{size(self.gap.value, scale)} on average",
            meaning=meaning,
            fix=setting.fix,
            count=self.gap.n,
            estimate=self.gap,
            data={"axis": self.axis.key, "kind": "gap"},
        )


def _quiet(setting: Setting, judged: list[_Judged]) -> Iterator[Finding]:
    """Axes without a flag, each kind in one finding with its largest: no noticeable gap, or one that any change of a word
    makes too."""
    small = [one for one in judged if one.gap.value < one.tuned.scale.noticeable]
    nervous = [one for one in judged if one not in small]
    for group in (small, nervous):
        if not group:
            continue
        largest = max(group, key=lambda one: one.gap.value)
        scale = largest.tuned.scale
        names = listed([one.axis.title.lower() for one in group])
        meaning = (
            f"The largest: for {largest.axis.title.lower()}, a swap {setting.what_moves} by "
            f"{size(largest.gap.value, scale)} on average ({largest.gap.n:,} {setting.unit_word}, "
            f"{between(largest.gap, scale)}). "
        )
        if group is small:
            title = f"No noticeable difference for {names}"
            meaning += f"Less than {size(scale.noticeable, scale)} is not reported as a problem."
        else:
            title = f"No more difference than any other changed word makes: {names}"
            control = size(gap_of(setting.control).value, scale) if setting.control is not None else "as much"
            meaning += (
                f"Swapping words that name no group does so by {control}, so this does not show that the model treats these "
                "groups differently; it shows that single words weigh much."
            )
        yield Finding(
            check=setting.audit,
            severity=Severity.INFO,
            title=title,
            meaning=meaning,
            count=largest.gap.n,
            estimate=largest.gap,
            data={"axes": [one.axis.key for one in group], "kind": "quiet" if group is small else "unsteady"},
        )


def _too_few(setting: Setting, judged: list[_Judged]) -> Iterator[Finding]:
    if judged:
        counts = listed([f"{one.axis.title.lower()} ({one.gap.n:,})" for one in judged])
        yield Finding(
            check=setting.audit,
            severity=Severity.INFO,
            title=f"Not enough data to judge {counts}: at least {MIN_ROWS} {setting.unit_word} are needed",
            meaning="That nothing was found here does not mean that the model is fair.",
            fix="Add validation rows about these groups, or rely on the neutral everyday sentences.",
            count=sum(one.gap.n for one in judged),
            data={"axes": [one.axis.key for one in judged], "kind": "too few"},
        )


def _directions(setting: Setting, shifts: list[Shift], scale: Scale, rows: list[dict[str, Any]]) -> Iterator[Finding]:
    """Shifts that are noticeable and significant over everything that was looked at; all of them become rows."""
    adjusted = benjamini_hochberg([shift.p for shift in shifts])
    ordered = sorted(zip(shifts, adjusted, strict=True), key=lambda item: _told_first(setting, item[0]))
    floor = max(scale.noticeable, _control_shift(setting))
    told: list[tuple[str, str]] = []
    for shift, q in ordered:
        axis = setting.lexicon.axis(shift.axis)
        title = axis.group(shift.group).title
        estimate = shift.estimate
        rows.append({
            "kind": "shift", "model": "tuned", "axis": shift.axis, "axis_title": axis.title, "group": shift.group,
            "group_title": title, "output": shift.output, "value": estimate.value, "low": estimate.low,
            "high": estimate.high, "n": estimate.n, "p": shift.p, "q": q, "unit": scale.unit,
        })  # fmt: skip
        if q >= Q or abs(estimate.value) < floor or estimate.n < MIN_ROWS:
            continue
        # Of two groups or two classes, one sentence says it all.
        mirror_groups, mirror_outputs = len(axis.groups) == 2, len({s.output for s in shifts}) == 2
        key = (shift.axis, "" if mirror_groups else shift.group)
        if key in told and (mirror_groups or mirror_outputs):
            continue
        told.append(key)
        if sum(axis_key == shift.axis for axis_key, _ in told) > SENTENCES_AN_AXIS:
            continue
        yield Finding(
            check=setting.audit,
            severity=Severity.WARNING,
            title=_direction_title(shift, title, scale),
            meaning=f"Compared with the same texts about other groups; {estimate.n:,} {setting.unit_word}, "
            f"{between(estimate, scale)}.",
            fix=setting.fix,
            count=estimate.n,
            estimate=estimate,
            data={
                "axis": shift.axis,
                "group": shift.group,
                "output": shift.output,
                "kind": "shift",
                "p": shift.p,
                "q": q,
            },
        )


def _control_shift(setting: Setting) -> float:
    """The largest shift between words that name no group: a smaller one between groups may be mere wording."""
    if setting.control is None:
        return 0.0
    return max((abs(shift.estimate.value) for shift in shifts_of(setting.control, CONTROL)), default=0.0)


def _told_first(setting: Setting, shift: Shift) -> tuple[float, int, bool]:
    """The largest first; of two that mirror one another, the first group's and what it gets more of."""
    groups = [group.key for group in setting.lexicon.axis(shift.axis).groups]
    return -round(abs(shift.estimate.value), 9), groups.index(shift.group), shift.estimate.value < 0


def _direction_title(shift: Shift, group: str, scale: Scale) -> str:
    word = "more" if shift.estimate.value > 0 else "less"
    amount = size(abs(shift.estimate.value), scale)
    if scale.bounded:
        return f"“{shift.output}” is {amount} {word} likely when the text is about {group}"
    return f"The model finds the same sentence {word} likely when it is about {group} (by {amount})"


def _comparisons(judged: list[_Judged]) -> list[Comparison]:
    """Base against tuned for each axis, on the pairs that both models read; better or worse only where q < .05."""
    compared = []
    for one in judged:
        if one.base is not None and one.base.pairs:
            common = set(one.base.pairs) & set(one.tuned.pairs)
            compared.append(
                compare_gaps(one.axis.title, *(m.where(common.__contains__) for m in (one.base, one.tuned)))
            )
    adjusted = benjamini_hochberg([1.0 if comparison.p is None else comparison.p for comparison in compared])
    return [
        comparison.model_copy(update={"verdict": Verdict.NO_EVIDENCE})
        if q >= Q and comparison.verdict in (Verdict.BETTER, Verdict.WORSE)
        else comparison
        for comparison, q in zip(compared, adjusted, strict=True)
    ]


def _what_was_found(judged: list[_Judged], directions: list[Finding]) -> str:
    if not judged:
        return "Nothing could be tested: no text names a group whose words can be swapped."
    flagged = [one.told for one in judged if one.flagged]
    if flagged:
        return f"The model treats groups of people differently: {listed(flagged)}."
    if directions:
        leaning = dict.fromkeys(
            one.axis.title.lower() for one in judged for f in directions if f.data["axis"] == one.axis.key
        )
        return f"The model leans for or against some groups of people: {listed(list(leaning))}."
    if any(one.enough for one in judged):
        return "No noticeable difference between groups of people was found."
    return "There is not enough data to say whether the model treats groups alike."
