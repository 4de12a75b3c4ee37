"""Parts of the project report on what was found: the test, votes of people, the bias audit, corrective actions, the filter."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from core.schemas.audits import AuditResult
from core.schemas.estimates import Estimate
from core.store.tables import Audit, Evaluation, Run, SampleSet

from . import (
    audit_report,
    audit_summary,
    audits,
    card_found,
    corrections,
    evaluations,
    openings,
    output_filters,
    report_sources,
    review_results,
    reviews,
)
from .report_drawings import GREY, TEAL, Mark, intervals
from .report_sources import Source, Sources

CLASSES_SHOWN = 60


def test(run: Run, evaluation: Evaluation | None, cite: Sources) -> dict[str, Any] | None:
    """The figures of all contenders; None where it was not evaluated."""
    if evaluation is None:
        return None
    result, source = evaluations.result(evaluation), report_sources.of_evaluation(evaluation, run.number)
    contenders = [c for c in card_found.CONTENDERS if c in result.contents]
    rows = []
    for row in result.metrics:
        unit = "share" if row.format == "percent" else ""
        cells = [cite.estimate(row.values.get(c), unit, source) for c in contenders]
        rows.append({"title": row.title, "help": row.help, "cells": cells, "warning": row.warning})
    classes = [
        (r["label"], *(cite.estimate(_estimate(r.get(k)), "share", source) for k in ("recall", "precision")))
        for r in result.per_class[:CLASSES_SHOWN]
        if "label" in r
    ]
    return {
        "sentences": result.sentences,
        "honest": result.honest.sentence if result.honest else "",
        "n": cite.count(result.n, source),
        "contenders": [card_found.CONTENDERS[c] for c in contenders],
        "rows": rows,
        "drawing": _headline_drawing(result, contenders),
        "classes": classes,
        "openings": openings.sentence(openings.wear(openings.of_lineage(run.project_id, evaluation.lineage))),
        "forgetting": [probe.sentence for probe in result.forgetting.probes] if result.forgetting else [],
        "base_note": result.base_note,
        "success": result.success,
    }


def _estimate(value: Any) -> Estimate | None:
    return Estimate.model_validate(value) if isinstance(value, dict) else None


def _headline_drawing(result: Any, contenders: list[str]) -> Markup:
    row = result.metric(result.headline)
    if row is None:
        return Markup("")
    factor, unit = (100, " (%)") if row.format == "percent" else (1, "")
    marks = [
        (card_found.CONTENDERS[c], [Mark(row.values[c], TEAL if c == "tuned" else GREY, hollow=c != "tuned")])
        for c in contenders
        if c in row.values
    ]
    return Markup(intervals(marks, f"{row.title}{unit}, with 95% interval", factor))


def judged(run: Run, cite: Sources) -> list[dict[str, Any]]:
    """What people said who judged its answers; empty where nobody did."""
    found = []
    for sample_set in reviews.sets(run):
        result, source = review_results.combined(sample_set), report_sources.of_review(sample_set)
        if not result.votes:
            continue
        figures = [(f"Preferred over {a.title} (a tie counts one half)", a.win_rate) for a in result.against]
        figures += [(f"Thumbs up: {name}", e) for name, e in result.thumbs.items()]
        found.append(
            {
                "sentence": result.sentence,
                "votes": cite.count(result.votes, source),
                "people": cite.count(len(result.raters), source),
                "figures": [(name, cite.estimate(e, "share", source)) for name, e in figures if e is not None],
                "samples": _samples(sample_set),
            }
        )
    return found


def _samples(sample_set: SampleSet, most: int = 2) -> list[dict[str, str]]:
    """The first prompts with the answers of the contenders, as they were written."""
    contenders = reviews.spec_of(sample_set).contenders
    shown = [item for item in sample_set.items if item.get("repeat_of") is None][:most]
    return [
        {"prompt": str(item.get("prompt", ""))[:600], **{c.title: str(item.get(c.key, ""))[:600] for c in contenders}}
        for item in shown
    ]


def bias(run: Run, audit: Audit | None, cite: Sources) -> dict[str, Any] | None:
    """What the audit found, group by group; None where there was none."""
    if audit is None:
        return None
    results, source = audits.results(audit), report_sources.of_audit(audit, run.number)
    return {
        "told": audit_summary.summary(results),
        "parts": [_audited(result, source, cite) for result in results.values()],
        "refused": list(audits.refusals(audit).values()),
        "limits": [*dict.fromkeys(x for r in results.values() for x in r.not_tested), *audit_report.STANDING_LIMITS],
        "split": audit.result.get("split", "validation"),
    }


def _audited(result: AuditResult, source: Source, cite: Sources) -> dict[str, Any]:
    unit = "probability" if result.unit == "probability" else result.unit
    return {
        "title": result.title,
        "headline": result.headline,
        "n": cite.count(result.n, source),
        "drawing": audit_report.comparison_drawing(result),
        "comparisons": [
            (
                c.metric,
                *(cite.estimate(e, unit, source, signed=e is c.change) for e in (c.base, c.tuned, c.change)),
                c.verdict.value,
            )
            for c in result.comparisons
        ],
        "findings": [
            (
                audit_report.SEVERITIES[f.severity],
                f.title,
                cite.estimate(f.estimate, unit, source) if f.estimate else "",
            )
            for f in result.findings
        ],
    }


def actions(run: Run) -> list[dict[str, Any]]:
    """Corrective actions of the project that were carried out, with what came of them."""
    return [audit_report.correction(c) for c in corrections.of_project(run.project_id) if c.run_after_id]


def output_filter(run: Run, cite: Sources) -> dict[str, Any] | None:
    version = output_filters.current(run) if output_filters.fits(run) else None
    if version is None:
        return None
    rules, report, source = (
        output_filters.rules_of(version),
        output_filters.report_of(version),
        report_sources.of_filter(version),
    )
    known = (
        ("Caught of the texts that must be caught", report.recall if report else None),
        ("Changed of the data's own answers", report.clean if report else None),
        ("Changed of what the model wrote", report.samples if report else None),
    )
    return {
        "number": version.number,
        "rules": [(rule.name, rule.action) for rule in rules.rules]
        + [(kind, rules.personal_action) for kind in rules.personal],
        "figures": [(name, cite.estimate(e, "share", source)) for name, e in known if e is not None],
        "measured": report is not None,
    }
