"""The audit report: one HTML file to print or to send, that says what was measured, how, on how much, and what was not."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from core.mitigations import registry as mitigations
from core.schemas.audits import AuditResult
from core.schemas.errors import UserError
from core.schemas.estimates import Comparison, Estimate
from core.schemas.findings import Finding, Severity
from core.store import records
from core.store.tables import Audit, Correction, Project, Run
from core.tasks import registry as tasks

from . import (
    audit_frontier,
    audits,
    corrections,
    datasets,
    evaluations,
    models,
    output_filters,
    preparation,
    projects,
    responsible,
    runs,
)
from .report_drawings import GREY, TEAL, Dot, Mark, intervals, scatter
from .report_templates import filled

CONTENDERS = {
    "this model": "tuned",
    "base model": "base",
    "always the commonest": "majority",
    "counting words": "tfidf",
}
PAIRS_SHOWN = 6
FIGURES_SHOWN = 40
SEVERITIES = {Severity.ERROR: "Problem", Severity.WARNING: "Warning", Severity.INFO: "Note", Severity.GOOD: "Good"}
STANDING_LIMITS = (
    "Only groups and words that the word lists know, and only the sentences and rows that are named above, were tested.",
    "A difference that is smaller than the intervals above can be there without being seen.",
    "What people do with an answer, and what becomes of those it is about, was not observed.",
    "The figures belong to this round and this data. After another training they say nothing.",
)


@dataclass(frozen=True)
class Told:
    """A figure in words: value, interval and n. There is no figure in the report that is not one of these."""

    value: str
    interval: str
    n: int

    def __html__(self) -> str:
        inside = f"{self.interval}, n = {self.n:,}" if self.interval else f"no interval, n = {self.n:,}"
        return str(Markup('<span class="figure">{} <span class="basis">({})</span></span>').format(self.value, inside))


def report_html(run: Run) -> str:
    """The report of a round's newest audit. Raises UserError where it was not audited."""
    found = audits.of_run(run.id)
    if not found:
        raise UserError("There is nothing to report yet.", "This round was not audited.", "Audit it first.")
    audit, project = found[0], projects.get(run.project_id)
    return filled("audit.html", _context(project, run, audit))


def filename(run: Run) -> str:
    return f"bias-audit-round-{run.number}.html"


def _context(project: Project, run: Run, audit: Audit) -> dict[str, Any]:
    results = audits.results(audit)
    plugins = audits.available(tasks()[run.task].family)
    frontier = audit_frontier.of_project(project)
    return {
        "project": project,
        "run": run,
        "task": tasks()[run.task].title,
        "made": time.strftime("%d %B %Y, %H:%M UTC", time.gmtime()),
        "audited": time.strftime("%d %B %Y, %H:%M UTC", time.gmtime(audit.created_at)),
        "split": audit.result.get("split", "validation"),
        "headlines": [(result.title, result.headline) for result in results.values()],
        "fixes": list(dict.fromkeys(f.fix for r in results.values() for f in r.findings if _serious(f) and f.fix)),
        "answers": responsible.told(project),
        "points": responsible.open_points(project),
        "audits": [_audit(result, getattr(plugins.get(key), "help", "")) for key, result in results.items()],
        "refused": list(audits.refusals(audit).values()),
        "corrections": [correction(c) for c in corrections.of_project(project.id) if c.run_after_id],
        "frontier": frontier if len(frontier.points) > 1 else None,
        "frontier_drawing": _frontier_drawing(frontier),
        "frontier_rows": list(_frontier_rows(frontier)),
        "filter": _filter(run),
        "limits": [*dict.fromkeys(line for r in results.values() for line in r.not_tested), *STANDING_LIMITS],
        "facts": _facts(project, run, audit),
        "quality": list(_quality(run)),
    }


def _serious(finding: Finding) -> bool:
    return finding.severity in (Severity.ERROR, Severity.WARNING)


# -- one audit ---------------------------------------------------------------------------------------------------------


def _audit(result: AuditResult, method: str) -> dict[str, Any]:
    return {
        "title": result.title,
        "method": method,
        "headline": result.headline,
        "n": result.n,
        "unit": _unit_words(result.unit),
        "findings": [
            {"finding": f, "word": SEVERITIES[f.severity], "figure": _figure_of(f, result.unit)}
            for f in sorted(result.findings, key=lambda f: list(SEVERITIES).index(f.severity))
        ],
        "comparisons": [_compared(c, result.unit) for c in result.comparisons],
        "drawing": comparison_drawing(result),
        "figures": list(_figures(result)),
        "pairs": [_pair(pair) for pair in result.pairs[:PAIRS_SHOWN]],
        "pairs_in_all": len(result.pairs),
        "collapse": told(result.top_class_share, "share") if result.top_class_share else None,
        "weakness": getattr(result, "weakness", ""),
        "not_tested": result.not_tested,
    }


def told(estimate: Estimate, unit: str, signed: bool = False) -> Told:
    """A figure with its unit: `share` in percent, `probability` and `points` in points, else the unit's own name."""
    factor, digits, name = {
        "share": (100, 1, "%"), "probability": (100, 1, " points"), "points": (100, 1, " points"),
    }.get(unit, (1, 3, f" {unit}" if unit else ""))  # fmt: skip
    sign = "+" if signed else ""
    interval = ""
    if estimate.low is not None and estimate.high is not None:
        ends = (f"{factor * end + 0.0:{sign},.{digits}f}" for end in (estimate.low, estimate.high))
        interval = f"95% interval {' to '.join(ends)}"
    return Told(f"{factor * estimate.value + 0.0:{sign},.{digits}f}{name}", interval, estimate.n)


def _unit_words(unit: str) -> str:
    return "points: hundredths of the probability of an answer" if unit == "probability" else unit


def _figure_of(finding: Finding, unit: str) -> Told | None:
    if finding.estimate is None:
        return None
    own = finding.data.get("unit")
    return told(finding.estimate, own or unit or "share", signed=finding.data.get("kind") == "shift")


def _compared(comparison: Comparison, unit: str) -> dict[str, Any]:
    return {
        "metric": comparison.metric,
        "base": told(comparison.base, unit),
        "tuned": told(comparison.tuned, unit),
        "change": told(comparison.change, unit, signed=True),
        "verdict": comparison.verdict.value,
    }


def comparison_drawing(result: AuditResult) -> Markup:
    factor = 100.0 if result.unit == "probability" else 1.0
    rows = [(c.metric, [Mark(c.base, GREY, True), Mark(c.tuned, TEAL)]) for c in result.comparisons]
    unit = "points" if factor == 100 else result.unit
    return Markup(intervals(rows, f"gap ({unit}): hollow is the base model, filled is this model", factor))


def _figures(result: AuditResult) -> Iterator[tuple[str, Told]]:
    """The rows of an audit that hold a figure of the tuned model or of the data, each with what it is about."""
    shown = 0
    for row in result.rows:
        value, n = row.get("value"), row.get("n")
        if not isinstance(value, int | float) or not isinstance(n, int) or row.get("model") == "base":
            continue
        shown += 1
        if shown > FIGURES_SHOWN:
            return
        about = [str(row[k]) for k in ("axis_title", "group_title", "about", "output", "label", "column") if row.get(k)]
        estimate = Estimate(value=value, n=n, low=row.get("low"), high=row.get("high"))
        name = " · ".join(about) or str(row.get("kind", ""))
        yield name, told(estimate, str(row.get("unit") or result.unit), signed=row.get("kind") == "shift")


def _pair(pair: dict[str, Any]) -> dict[str, Any]:
    known = {k: pair.get(k) for k in ("before", "after", "output", "before_value", "after_value", "unit")}
    has = isinstance(known["before_value"], int | float) and isinstance(known["after_value"], int | float)
    return known | {"has_values": has}


def _quality(run: Run) -> Iterator[dict[str, Any]]:
    """The deciding figure on validation and test rows, where it was measured."""
    for split in ("validation", "test"):
        found = evaluations.of_run(run.id, split)
        result = evaluations.result(found[0]) if found else None
        row = result.metric(result.headline) if result else None
        if row is not None and "tuned" in row.values:
            unit = "share" if row.format == "percent" else ""
            values = [(name, told(row.values[key], unit)) for name, key in CONTENDERS.items() if key in row.values]
            yield {"split": split, "title": row.title, "values": values}


# -- actions, rounds, filter -------------------------------------------------------------------------------------------


def correction(done: Correction) -> dict[str, Any]:
    numbers = [runs.get(str(i)).number for i in (done.run_before_id, done.run_after_id)]
    family = tasks()[runs.get(str(done.run_before_id)).task].family
    titles = {key: plugin.title for key, plugin in audits.available(family).items()}
    first = records.get(Audit, done.audit_before_id)
    units = {key: result.unit for key, result in audits.results(first).items()} if first else {}
    judged = [
        {
            "by": titles.get(key, key),
            "state": gate.state.value,
            "reasons": gate.reasons,
            "gap": told(gate.gap_change, units.get(key, ""), signed=True) if gate.gap_change else None,
            "quality": told(gate.quality_change, "points", signed=True) if gate.quality_change else None,
        }
        for key, gate in corrections.outcome(done).items()
    ]
    action = mitigations().get(done.action)
    return {
        "title": action.title if action else done.action,
        "before": numbers[0],
        "after": numbers[1],
        "added": done.config.get("added"),
        "judged": judged,
    }


def _frontier_drawing(found: audit_frontier.Frontier) -> Markup:
    if len(found.points) < 2 or found.metric is None:
        return Markup("")
    gap, quality = audit_frontier.scales(found)
    dots = [Dot(audit_frontier.label(p), p.gap, p.quality, p.frontier) for p in found.points]
    return Markup(scatter(dots, *audit_frontier.axis_titles(found), gap, quality))


def _frontier_rows(found: audit_frontier.Frontier) -> Iterator[dict[str, Any]]:
    for point in found.points:
        share = found.metric is not None and found.metric.format == "percent"
        yield {
            "label": audit_frontier.label(point),
            "gap": told(point.gap, found.unit),
            "quality": told(point.quality, "share" if share else ""),
            "frontier": point.frontier,
        }


def _filter(run: Run) -> dict[str, Any] | None:
    version = output_filters.current(run) if output_filters.fits(run) else None
    if version is None:
        return None
    rules, report = output_filters.rules_of(version), output_filters.report_of(version)
    figures: Sequence[tuple[str, Estimate | None]] = (
        (
            ("Caught of the texts that must be caught", report.recall),
            ("Changed of the data's own answers", report.clean),
            ("Changed of what the model wrote", report.samples),
        )
        if report
        else ()
    )
    groups = [g for g in report.groups if g.worst > 0] if report else []
    return {
        "number": version.number,
        "rules": [(rule.name, rule.action, len(rule.entries)) for rule in rules.rules],
        "personal": rules.personal,
        "figures": [(name, told(e, "share") if e else None) for name, e in figures],
        "groups": [(g.title, told(e, "share")) for g in groups for e in (g.probes, g.own) if e is not None],
        "groups_tested": len(report.groups) if report else 0,
        "not_tested": report.not_tested if report else (),
    }


def _facts(project: Project, run: Run, audit: Audit) -> list[tuple[str, str]]:
    version, plan = datasets.get_version(run.dataset_version_id), preparation.get_plan(run.plan_id)
    base, summary = models.get(run.base_model_key), run.summary or {}
    libraries = ", ".join(f"{name} {number}" for name, number in summary.get("versions", {}).items())
    settings = ", ".join(f"{key}: {value}" for key, value in audit.config.items()) or "as they come"
    return [
        ("Round", f"{run.number}, {run.name} ({run.id})"),
        ("Base model", f"{base.title}, revision {base.revision or 'none'}"),
        ("Data", f"version {version.number}, {version.rows:,} rows, content hash {version.content[:16]}"),
        (
            "Split",
            ", ".join(f"{part} {count:,}" for part, count in plan.counts.items()) + f", hash {plan.content[:16]}",
        ),
        ("Seed", str(run.recipe.get("seed", "not stated"))),
        ("Audit", f"{audit.id}, settings: {settings}"),
        ("Libraries", libraries or "not recorded"),
        ("Device", str(summary.get("device", "not recorded"))),
    ]
