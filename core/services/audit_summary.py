"""An audit in a few plain sentences: what was found, what fine-tuning did, what to do, and what it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from core.data.audit_words import change_sentence
from core.data.in_words import listed
from core.schemas.audits import AuditResult
from core.schemas.base import Schema
from core.schemas.estimates import Comparison, Verdict
from core.schemas.findings import Finding, Severity

DATA = "data_coverage"
MOST_TOLD = 3
_TOLD_FIRST = ("collapse", "shift", "tie", "gap", "accuracy")


class Summary(Schema):
    """`tone`: something was found, nothing was, or nothing can be said. `found` are the strongest findings as sentences,
    `to_do` what a person can do next, `basis` what all of it rests on."""

    tone: Literal["found", "quiet", "few"]
    title: str
    found: tuple[str, ...]
    change: str
    to_do: tuple[str, ...]
    basis: str


def summary(results: Mapping[str, AuditResult]) -> Summary:
    """In words for a reader without statistics."""
    model = {key: result for key, result in results.items() if key != DATA}
    loud = [finding for result in model.values() for finding in result.findings if finding.severity == Severity.WARNING]
    collapsed = next((finding for finding in loud if finding.data.get("kind") == "collapse"), None)
    in_data = [f for key, r in results.items() if key == DATA for f in r.findings if f.severity == Severity.WARNING]
    judged = any(_judged(result) for result in results.values())
    told = [*_strongest(loud, results), *_strongest(in_data, results)][:MOST_TOLD]
    return Summary(
        tone="found" if loud or in_data else "quiet" if judged else "few",
        title=_title(collapsed, loud, in_data, judged, bool(model)),
        found=tuple(told),
        change=_change(model.values(), bool(loud)),
        to_do=tuple(_to_do(collapsed, loud, in_data, judged)),
        basis=_basis(results),
    )


def _judged(result: AuditResult) -> bool:
    return any(finding.data.get("kind") != "too few" for finding in result.findings) and bool(result.rows)


def _title(
    collapsed: Finding | None, loud: list[Finding], in_data: list[Finding], judged: bool, has_model: bool
) -> str:
    if collapsed:
        return "The model gives nearly every text the same answer, so whether it is fair cannot be said yet."
    axes = list(dict.fromkeys(_axis(finding) for finding in loud if _axis(finding)))
    if axes:
        return f"The model treats people differently by {listed(axes)}."
    if loud:
        return "A published benchmark finds stereotypes in the model."
    if in_data:
        named = listed(list(dict.fromkeys(_axis(finding) for finding in in_data if _axis(finding))) or ["group"])
        told = ", but the model shows no noticeable difference" if has_model and judged else ""
        return f"The data ties labels to people's {named}{told}."
    if judged:
        return "No noticeable difference between groups of people was found."
    return "There is not enough data to say whether the model treats groups of people alike."


def _axis(finding: Finding) -> str:
    """The kind of group that a finding is about, in words: its title where it is known, else its key."""
    key = str(finding.data.get("axis", ""))
    return str(finding.data.get("axis_title", key.removeprefix("column:").replace("_", " "))).lower()


def _strongest(findings: Iterable[Finding], results: Mapping[str, AuditResult]) -> list[str]:
    """The most telling ones with where they were seen: one for each kind of group first, then others of another kind. That
    answers move is not said again where it is said in which direction."""

    def rank(finding: Finding) -> tuple[int, float]:
        kind = finding.data.get("kind", "")
        place = _TOLD_FIRST.index(kind) if kind in _TOLD_FIRST else len(_TOLD_FIRST)
        return place, -abs(finding.estimate.value) if finding.estimate else 0.0

    ordered = sorted(findings, key=rank)
    directed = {_axis(finding) for finding in ordered if finding.data.get("kind") == "shift"}
    ordered = [f for f in ordered if not (f.data.get("kind") == "gap" and _axis(f) in directed)]
    first: dict[str, Finding] = {}
    for finding in ordered:
        first.setdefault(_axis(finding), finding)
    rest = [finding for finding in ordered if finding not in first.values()]
    return list(dict.fromkeys(_told(finding, results) for finding in [*first.values(), *rest]))[:MOST_TOLD]


def _told(finding: Finding, results: Mapping[str, AuditResult]) -> str:
    seen = results[finding.check].title if finding.check in results else ""
    return f"{finding.title}. Seen in: {seen[:1].lower()}{seen[1:]}." if seen else f"{finding.title}."


def _change(results: Iterable[AuditResult], found: bool) -> str:
    """What fine-tuning did to the differences, over all audits: worse first. Where no difference was `found`, one that grew is
    below the threshold, or no larger than what any other changed word does."""
    compared = [(result, comparison) for result in results for comparison in result.comparisons]
    if not compared:
        return ""
    for wanted, word in ((Verdict.WORSE, "more"), (Verdict.BETTER, "less")):
        grown = [(result, c) for result, c in compared if c.verdict == wanted]
        if grown and wanted == Verdict.WORSE and not found:
            return (
                "Changed words move its answers further than the base model's, but no further than other words do, or too "
                "little to matter."
            )
        if grown:
            names = list(dict.fromkeys(_short(comparison) for _, comparison in grown))
            also = any(c.verdict == Verdict.BETTER for _, c in compared) and wanted == Verdict.WORSE
            rest = f" (and in {len(names) - MOST_TOLD} other ways)" if len(names) > MOST_TOLD else ""
            return (
                f"Training on your data made the model treat groups {word} differently than the base model did, by "
                f"{listed(names[:MOST_TOLD])}{rest}.{' Some other differences became smaller.' if also else ''}"
            )
    return change_sentence([comparison for _, comparison in compared], "").replace(
        "changed that", "made the model more or less fair than the base model"
    )


def _short(comparison: Comparison) -> str:
    return comparison.metric[:1].lower() + comparison.metric[1:]


def _to_do(collapsed: Finding | None, loud: list[Finding], in_data: list[Finding], judged: bool) -> Iterable[str]:
    if collapsed:
        yield "See on the Evaluation screen whether the model is better than guessing, and train again before judging fairness."
        return
    if loud:
        yield (
            "Read the example pairs in the tab “Details”. Where the model helps to decide about people, do not use it before "
            "this is mended."
        )
        yield (
            "Take a corrective action, in the tab of that name. It trains again, audits again, and says whether the difference "
            "became smaller without harm."
        )
    if in_data:
        yield "The data itself is one-sided: open its rows in the tab “Details”, mend labels or add rows."
    if not loud and not in_data and judged:
        yield "Nothing has to be done now. Audit again after every round, and where the model meets other texts than these."
    if not judged:
        yield "Add at least 30 validation rows about each group that matters to you, and audit again."


def _basis(results: Mapping[str, AuditResult]) -> str:
    parts = [f"{result.title.lower()}: {result.n:,}" for result in results.values()]
    untested = sum(len(result.not_tested) for result in results.values())
    told = f"Independent cases looked at, by audit: {'; '.join(parts)}."
    return f"{told} {untested} things were not tested; they are listed below." if untested else told
