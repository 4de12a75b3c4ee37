"""What the model card says was measured: on test rows, for groups of people, by people who judged, and by the filter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.data.in_words import significant, times
from core.schemas.audits import AuditResult
from core.schemas.estimates import Estimate
from core.schemas.evaluation import EvaluationResult
from core.schemas.findings import Severity
from core.store.tables import Audit, Run

from . import audit_summary, audits, corrections, openings, output_filters, preparation, review_results, reviews, runs
from .dataset_cards import line

CONTENDERS = {
    "tuned": "this model",
    "base": "base model",
    "majority": "commonest answer",
    "mean": "mean of training rows",
    "tfidf": "counting words",
    "nearest": "answer of the most similar row",
    "longer": "the longer answer",
}
MOST_CLASSES = 60
MOST_GROUP_FIGURES = 12


def figure(estimate: Estimate | None, form: str, with_n: bool = False) -> str:
    """Value and 95% interval, in percent for shares."""
    if estimate is None:
        return "–"
    scale, unit = (100, "%") if form == "percent" else (1, "")
    value = f"{significant(estimate.value * scale)}{unit}"
    n = f", n = {estimate.n:,}" if with_n else ""
    if estimate.low is None or estimate.high is None:
        return f"{value} (no interval{n})" if with_n else value
    return f"{value} ({significant(estimate.low * scale)} to {significant(estimate.high * scale)}{n})"


def test_lines(run: Run, found: EvaluationResult | None) -> list[str]:
    """The verdict and all figures beside those of base and simple baselines, and how often the test set was opened."""
    if found is None:
        return ["Not evaluated on a test set: how good it is on texts that it has not seen is **not known**."]
    contenders = [c for c in CONTENDERS if c in found.contents]
    lines = [" ".join(map(line, found.sentences)), ""]
    lines += [line(found.honest.sentence), ""] if found.honest else []
    lines += [
        f"{found.n:,} locked {found.split} rows; 95% intervals in brackets, n = {found.n:,} unless it says else.",
        "",
    ]
    lines += [
        "| metric | " + " | ".join(CONTENDERS[c] for c in contenders) + " |",
        "|---" * (len(contenders) + 1) + "|",
    ]
    for row in found.metrics:
        cells = [_cell(row.values.get(c), row.format, found.n) for c in contenders]
        lines.append(f"| {row.title} | " + " | ".join(cells) + " |")
    if found.forgetting is not None:
        said = [probe.sentence for probe in found.forgetting.probes] or [found.forgetting.note]
        lines += ["", "What it lost of what the base model knew: " + " ".join(map(line, said))]
    return [*lines, "", *_opening_lines(run)]


def _cell(estimate: Estimate | None, form: str, n: int) -> str:
    return figure(estimate, form, with_n=estimate is not None and estimate.n != n)


def _opening_lines(run: Run) -> list[str]:
    version = preparation.get_plan(run.plan_id).dataset_version_id
    lineage = next((o.lineage for o in openings.of_project(run.project_id) if o.run_id == run.id), None)
    if lineage is None or not version:
        return []
    found = openings.of_lineage(run.project_id, lineage)
    if len(found) == 1:
        return [f"The test set was opened {times(1)}."]
    return [openings.sentence(openings.wear(found))]


def class_lines(found: EvaluationResult | None) -> list[str]:
    """How well each category is found, where there are categories."""
    rows = [row for row in (found.per_class if found else ()) if "label" in row]
    if not rows:
        return []
    lines = [
        "### By category",
        "",
        "| category | rows | found (recall) | right when said (precision) |",
        "|---|---|---|---|",
    ]
    for row in rows[:MOST_CLASSES]:
        recall, precision = (_estimate(row.get(key)) for key in ("recall", "precision"))
        lines.append(
            f"| {line(row['label'])} | {row['n']} | {figure(recall, 'percent', True)} | "
            f"{figure(precision, 'percent', True)} |"
        )
    more = [f"and {len(rows) - MOST_CLASSES} more"] if len(rows) > MOST_CLASSES else []
    return [*lines, *more, ""]


def _estimate(value: Any) -> Estimate | None:
    return Estimate.model_validate(value) if isinstance(value, dict) else None


# -- groups of people --------------------------------------------------------------------------------------------------


def audit_lines(audit: Audit | None) -> list[str]:
    """What the newest audit found for groups of people, what fine-tuning did to it, and what was not tested."""
    if audit is None:
        return ["Not audited. Nothing is known about how it treats different groups of people."]
    results = audits.results(audit)
    told = audit_summary.summary(results)
    lines = [f"**{line(told.title)}** {line(told.change)}".strip(), ""]
    lines += [*(f"- {line(each)}" for each in told.found), ""] if told.found else []
    lines += ["This is no certificate: only what is listed here was tested.", ""]
    for result in results.values():
        lines += _result_lines(result)
    if refused := audits.refusals(audit):
        lines += [*(f"- Not carried out: {line(why['title'])} {line(why['cause'])}" for why in refused.values()), ""]
    if told.to_do:
        lines += ["What should be done before it is used: " + " ".join(map(line, told.to_do)), ""]
    return lines[:-1]


def _result_lines(result: AuditResult) -> list[str]:
    lines = [f"### {line(result.title)}", "", f"{line(result.headline)} n = {result.n:,}.", ""]
    form = "percent" if result.unit in ("share", "probability", "points") else "number"
    if rows := [c for c in result.comparisons][:MOST_GROUP_FIGURES]:
        lines += ["| difference between groups | base model | this model | change | |", "|---|---|---|---|---|"]
        for c in rows:
            cells = (figure(each, form, True) for each in (c.base, c.tuned, c.change))
            lines.append(f"| {line(c.metric)} | {' | '.join(cells)} | {c.verdict.value} |")
        lines.append("")
    serious = [f for f in result.findings if f.severity in (Severity.ERROR, Severity.WARNING)]
    for finding in serious:
        measured = f" ({figure(finding.estimate, form, True)})" if finding.estimate else ""
        lines.append(f"- {line(finding.title)}{measured}")
    return [*lines, ""] if serious else lines


def not_tested(audit: Audit | None) -> list[str]:
    """What the audit itself says that it did not look at."""
    if audit is None:
        return []
    return list(dict.fromkeys(x for r in audits.results(audit).values() for x in r.not_tested))


def correction_lines(run: Run) -> list[str]:
    """What came of the corrective actions that led to this round."""
    lines = []
    for correction in corrections.of_project(run.project_id):
        if correction.run_after_id != run.id or not correction.run_before_id:
            continue
        before = runs.get(correction.run_before_id)
        states = [gate.state.value for gate in corrections.outcome(correction).values()]
        lines.append(f"- `{line(correction.action)}`, from round {before.number}: {', '.join(states) or 'not judged'}")
    return ["What came of corrective actions, by the audit before and after:", "", *lines, ""] if lines else []


# -- people, filter ----------------------------------------------------------------------------------------------------


def review_lines(run: Run) -> list[str]:
    """What people said who judged its answers without knowing whose they were."""
    said = []
    for sample_set in reviews.sets(run):
        found = review_results.combined(sample_set)
        if found.votes:
            people = f"{len(found.raters)} {'person' if len(found.raters) == 1 else 'people'}"
            said.append(f"- {line(found.sentence)} ({found.votes:,} votes of {people})")
            rates = [(a.title, a.win_rate) for a in found.against if a.win_rate is not None]
            said += [
                f"  - preferred over {line(t)}: {figure(e, 'percent', True)}, a tie counts one half" for t, e in rates
            ]
    return ["## Judged by people", "", *said, ""] if said else []


def filter_lines(run: Run) -> list[str]:
    """What guards the answers beside the weights; nothing where there is no filter."""
    version = output_filters.current(run) if output_filters.fits(run) else None
    if version is None:
        return []
    rules, report = output_filters.rules_of(version), output_filters.report_of(version)
    named = [f"{rule.name} ({rule.action})" for rule in rules.rules]
    named += [f"{kind} ({rules.personal_action})" for kind in rules.personal]
    lines = [
        "## Output filter",
        "",
        f"Answers given by `answer.py` pass a filter of rules (version {version.number}): {', '.join(map(line, named))}. "
        "It is no part of the weights: whoever loads them in another way gets unfiltered answers.",
        "",
    ]
    figures: Sequence[tuple[str, Estimate | None]] = (
        ("caught of the texts that must be caught", report.recall if report else None),
        ("changed of the data's own answers", report.clean if report else None),
        ("changed of the model's samples", report.samples if report else None),
    )
    known = [f"- {what}: {figure(e, 'percent')}, n = {e.n:,}" for what, e in figures if e is not None]
    return [*lines, *known, *([""] if known else [])]
