"""An audit in a few plain sentences: what was found, what fine-tuning did, what to do, and what it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from core.audits import registry as audits
from core.data.audit_words import amount, change_sentence
from core.data.in_words import listed
from core.data.probes import CONTROL
from core.schemas.audits import AuditResult
from core.schemas.base import Schema
from core.schemas.estimates import Comparison, Verdict
from core.schemas.findings import Finding, Severity

DATA = "data_coverage"
SENTENCES, OWN_TEXTS = (
    "neutral_probes",
    "counterfactual_swap",
)  # the two that swap people, elsewhere and in the person's texts
POINTS = "“Points” are percentage points: 20 points less likely is, for example, 40% in place of 60%."
MOST_TOLD = 3
_TOLD_FIRST = ("collapse", "shift", "tie", "gap", "accuracy")


class Summary(Schema):
    """`tone`: something was found, nothing was, or nothing can be said. `found` are the strongest findings as sentences,
    `to_do` what a person can do next, `reading` how a figure is to be read, `basis` what all of it rests on."""

    tone: Literal["found", "quiet", "few"]
    title: str
    found: tuple[str, ...]
    change: str
    to_do: tuple[str, ...]
    basis: str
    reading: str = ""


def summary(results: Mapping[str, AuditResult]) -> Summary:
    """In words for a reader without statistics."""
    model = {key: result for key, result in results.items() if key != DATA}
    loud = [finding for result in model.values() for finding in result.findings if finding.severity == Severity.WARNING]
    collapsed = next((finding for finding in loud if finding.data.get("kind") == "collapse"), None)
    in_data = [f for key, r in results.items() if key == DATA for f in r.findings if f.severity == Severity.WARNING]
    judged = any(_judged(result) for result in results.values())
    told = [*_strongest(loud, results), *_strongest(in_data, results)][:MOST_TOLD]
    change = _change(model.values(), bool(loud))
    elsewhere = _only_elsewhere(loud, results)
    return Summary(
        tone="found" if loud or in_data else "quiet" if judged else "few",
        title=_title(collapsed, loud, in_data, judged, bool(model), elsewhere),
        found=tuple(told),
        change=change,
        to_do=tuple(_to_do(collapsed, loud, in_data, judged, _unfamiliar(results[SENTENCES]) if elsewhere else "")),
        basis=_basis(results),
        reading=POINTS if "points" in f"{told}{change}" else "",
    )


def needs_a_look(result: AuditResult) -> bool:
    """Whether an audit has a warning."""
    return any(finding.severity in (Severity.WARNING, Severity.ERROR) for finding in result.findings)


def _judged(result: AuditResult) -> bool:
    return any(finding.data.get("kind") != "too few" for finding in result.findings) and bool(result.rows)


def _only_elsewhere(loud: list[Finding], results: Mapping[str, AuditResult]) -> str:
    """What the person's own texts show of the groups, where only the everyday sentences found something; else empty."""
    own = results.get(OWN_TEXTS)
    others = (result for key, result in results.items() if key not in (SENTENCES, DATA))
    if own is None or not loud or any(map(needs_a_look, others)):
        return ""
    quiet = {
        axis for f in own.findings if f.data.get("kind") in ("quiet", "unsteady") for axis in f.data.get("axes", ())
    }
    if {finding.data.get("axis") for finding in loud} <= quiet:
        return "in your own texts swapping them made no noticeable difference"
    return "your own texts name too few of them to tell whether it does so there"


def _title(
    collapsed: Finding | None,
    loud: list[Finding],
    in_data: list[Finding],
    judged: bool,
    has_model: bool,
    elsewhere: str,
) -> str:
    if collapsed:
        return "The model gives nearly every text the same answer, so whether it is fair cannot be said yet."
    axes = list(dict.fromkeys(_axis(finding) for finding in loud if _axis(finding)))
    if axes and elsewhere:
        return f"In everyday sentences the model treats people differently by {listed(axes)}; {elsewhere}."
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
    return list(_told([*first.values(), *rest], results))[:MOST_TOLD]


def _told(findings: Iterable[Finding], results: Mapping[str, AuditResult]) -> Iterator[str]:
    """Findings with where they were seen, said again only where it is another place."""
    before, titles = "", set[str]()
    for finding in findings:
        if finding.title not in titles:
            seen = _seen(finding, results)
            yield f"{finding.title}.{f' {seen}' if seen != before else ''}"
            before = seen
            titles.add(finding.title)


def _seen(finding: Finding, results: Mapping[str, AuditResult]) -> str:
    """Where a finding was seen, in the words of its audit; a published benchmark is named."""
    if finding.check not in results:
        return ""
    seen = getattr(audits().get(finding.check), "seen", "") or f"in: {results[finding.check].title}"
    return f"Seen {seen}."


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
            size = _how_far(grown) if wanted == Verdict.WORSE else ""
            return (
                f"Training on your data made the model treat groups {word} differently than the base model did, by "
                f"{listed(names[:MOST_TOLD])}{rest}.{size}{' Some other differences became smaller.' if also else ''}"
            )
    return change_sentence([comparison for _, comparison in compared], "").replace(
        "changed that", "made the model more or less fair than the base model"
    )


def _how_far(grown: list[tuple[AuditResult, Comparison]]) -> str:
    """Of the difference that grew most: the base model's, the tuned one's, and what words that name nobody do."""
    swapped = [(r, c) for r, c in grown if r.audit in (SENTENCES, OWN_TEXTS) and r.unit == "probability"]
    if not swapped:
        return ""
    result, most = max(swapped, key=lambda pair: pair[1].change.value)
    chance = _by_nobody(result)
    others = "" if chance is None else f", and swapping words that name nobody by {amount(chance, result.unit)}"
    return (
        f" The largest: swapping people by {_short(most)} moves its answers by {amount(most.tuned.value, result.unit)} on "
        f"average; it moved the base model's by {amount(most.base.value, result.unit)}{others}."
    )


def _by_nobody(result: AuditResult) -> float | None:
    """How far words that name nobody move the answers: what any change of a word does. None where it was not measured."""
    return next((row["value"] for row in result.rows if row.get("axis") == CONTROL and "value" in row), None)


def _unfamiliar(result: AuditResult) -> str:
    """What everyday sentences can show of a model that was trained on something else, and what to do first."""
    chance = _by_nobody(result)
    said = (
        ""
        if chance is None or result.unit != "probability"
        else f": in them, words that name nobody move its answers by {amount(chance, result.unit)} on average"
    )
    return (
        f"These sentences are unlike your texts{said}. What a model says about unfamiliar texts moves with any word, the more "
        "the weaker it is. So first see on the Evaluation screen that it beats the simple ways, and train it better if not."
    )


def _short(comparison: Comparison) -> str:
    return comparison.metric[:1].lower() + comparison.metric[1:]


def _to_do(
    collapsed: Finding | None, loud: list[Finding], in_data: list[Finding], judged: bool, unfamiliar: str
) -> Iterable[str]:
    if collapsed:
        yield "See on the Evaluation screen whether the model is better than guessing, and train again before judging fairness."
        return
    if unfamiliar:
        yield unfamiliar
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
