"""The first page of the project report: what the model is for, whether it is good, whether it may be used, what is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from core.schemas.estimates import Verdict
from core.schemas.findings import Severity
from core.schemas.responsible import ResponsibleUse
from core.store.tables import Audit, Evaluation, Project, Run

from . import audit_summary, audits, card_found, datasets, evaluations, health, openings, report_sources, responsible
from .report_sources import Sources

Tone = Literal["stop", "open", "quiet"]
VERDICTS = {
    Verdict.BETTER: "Better than before its training",
    Verdict.WORSE: "Worse than before its training",
    Verdict.NO_EVIDENCE: "No proof that the training helped",
    Verdict.NOT_ENOUGH_DATA: "Too few test rows to say",
}


@dataclass(frozen=True)
class Summary:
    """`use` says whether it may be used as things stand, `reasons` why. It is never called safe: only what was looked at can be
    told."""

    answers: ResponsibleUse
    good: str
    good_text: tuple[str, ...]
    tone: Tone
    use: str
    reasons: tuple[str, ...]
    open: tuple[str, ...]
    glance: tuple[tuple[str, Markup], ...]


def summary(project: Project, run: Run, evaluation: Evaluation | None, audit: Audit | None, cite: Sources) -> Summary:
    """In words for a reader who knows nothing about training."""
    result = evaluations.result(evaluation) if evaluation else None
    points = [point.text for point in responsible.open_points(project)]
    not_done = _not_done(run, evaluation, audit)
    stops = _stops(project, run, evaluation, audit)
    tone: Tone = "stop" if stops else "open" if points or not_done else "quiet"
    said = {
        "stop": "Not as it stands. Something was found that should be mended or decided first.",
        "open": "This cannot be said yet. Nothing speaks against it in what was looked at, but something is still open.",
        "quiet": "No reason against it was found in what was looked at. That is no proof that none exists.",
    }[tone]
    return Summary(
        answers=responsible.answers(project),
        good=VERDICTS[result.verdict] if result else "Not known",
        good_text=tuple(result.sentences)
        if result
        else ("It was never measured on rows that were kept apart for a test.",),
        tone=tone,
        use=said,
        reasons=tuple(stops),
        open=(*not_done, *points),
        glance=tuple(_glance(run, evaluation, audit, cite)),
    )


def _not_done(run: Run, evaluation: Evaluation | None, audit: Audit | None) -> list[str]:
    found = []
    if evaluation is None:
        found.append("It was not evaluated on a test set.")
    elif evaluations.result(evaluation).verdict in (Verdict.NO_EVIDENCE, Verdict.NOT_ENOUGH_DATA):
        found.append("It was not shown to be better than the model that it was made from.")
    if audit is None:
        found.append("It was not audited for bias: nothing is known about how it treats different groups of people.")
    if datasets.get_version(run.dataset_version_id).health is None:
        found.append("The health of its data was not checked.")
    return found


def _stops(project: Project, run: Run, evaluation: Evaluation | None, audit: Audit | None) -> list[str]:
    """What was found that speaks against using it, each in a sentence."""
    stops = []
    if evaluation is not None and evaluations.result(evaluation).verdict is Verdict.WORSE:
        stops.append("On its test rows it is worse than the model that it was made from.")
    if evaluation is not None and evaluations.result(evaluation).worth_it is False:
        stops.append("On its test rows it was not shown to do better than a simpler way without fine-tuning.")
    if audit is not None:
        told = audit_summary.summary(audits.results(audit))
        if told.tone == "found":
            stops.append(told.title)
    report = health.of(datasets.get_version(run.dataset_version_id))
    errors = [f.title for f in report.findings if f.severity is Severity.ERROR] if report else []
    stops += [f"In its data: {title}" for title in errors]
    if responsible.answers(project).consent == "no":
        stops.append(responsible.CONSENT_POINTS["no"])
    return stops


def _glance(run: Run, evaluation: Evaluation | None, audit: Audit | None, cite: Sources) -> list[tuple[str, Markup]]:
    rows = []
    result = evaluations.result(evaluation) if evaluation else None
    row = result.metric(result.headline) if result else None
    if evaluation is not None and row is not None:
        source, unit = report_sources.of_evaluation(evaluation, run.number), "share" if row.format == "percent" else ""
        for key, title in card_found.CONTENDERS.items():
            if key in row.values:
                rows.append((f"{row.title}: {title}", cite.estimate(row.values[key], unit, source)))
        opened = openings.of_lineage(run.project_id, evaluation.lineage)
        rows.append(("Times the test set was opened", cite.count(len(opened), source)))
    if audit is not None:
        source = report_sources.of_audit(audit, run.number)
        warnings = [f for r in audits.results(audit).values() for f in r.findings if f.severity is Severity.WARNING]
        rows.append(("Warnings of the bias audit", cite.count(len(warnings), source)))
    return rows
