"""One correction for everything that an audit looked at: with hundreds of figures some stand out by chance alone.

Every audit corrects its own figures; over all audits together more were looked at, so what is shown is corrected again
(Benjamini & Hochberg 1995, JRSS B 57:289).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.schemas.audits import AuditResult
from core.schemas.estimates import Comparison, Verdict
from core.schemas.findings import Finding, Severity

from .audit_words import change_sentence
from .statistics import benjamini_hochberg

Q = 0.05
DECIDED = (Verdict.BETTER, Verdict.WORSE)


def corrected(results: Mapping[str, AuditResult]) -> dict[str, AuditResult]:
    """The same results, with q over all of them: findings that may be chance become notes, verdicts no evidence."""
    figures = _adjusted(row["p"] for result in results.values() for row in result.rows if "p" in row)
    changes = _adjusted(c.p for result in results.values() for c in result.comparisons if c.p is not None)
    return {key: _corrected(result, figures, changes) for key, result in results.items()}


def _adjusted(p_values: Iterable[float]) -> dict[float, float]:
    """From each p to its q, which depends on nothing else."""
    found = list(p_values)
    return dict(zip(found, benjamini_hochberg(found), strict=True))


def _corrected(result: AuditResult, figures: Mapping[float, float], changes: Mapping[float, float]) -> AuditResult:
    rows = tuple(row | {"q": figures[row["p"]]} if "p" in row else row for row in result.rows)
    findings = tuple(_finding(finding, figures) for finding in result.findings)
    comparisons = tuple(_comparison(comparison, changes) for comparison in result.comparisons)
    headline = result.headline
    if comparisons != result.comparisons:
        before, after = (change_sentence(some, result.unit) for some in (result.comparisons, comparisons))
        headline = headline.replace(before, after)
    if _warned(result.findings) and not _warned(findings):
        changed = change_sentence(comparisons, result.unit)
        headline = f"What stands out here may be chance, given how much was looked at. {changed}"
    return result.model_copy(
        update={"rows": rows, "findings": findings, "comparisons": comparisons, "headline": headline.strip()}
    )


def _finding(finding: Finding, q_of: Mapping[float, float]) -> Finding:
    p = finding.data.get("p")
    if p is None or finding.severity != Severity.WARNING:
        return finding
    q = q_of.get(p, finding.data.get("q", 0.0))
    update: dict[str, object] = {"data": {**finding.data, "q": q}}
    if q >= Q:
        update |= {
            "severity": Severity.INFO,
            "title": f"May be chance: {finding.title}",
            "meaning": f"{finding.meaning} Counting everything that was looked at, chance explains it well enough.",
        }
    return finding.model_copy(update=update)


def _comparison(comparison: Comparison, q_of: Mapping[float, float]) -> Comparison:
    if comparison.p is None or comparison.verdict not in DECIDED or q_of[comparison.p] < Q:
        return comparison
    return comparison.model_copy(update={"verdict": Verdict.NO_EVIDENCE})


def _warned(findings: Iterable[Finding]) -> bool:
    return any(finding.severity == Severity.WARNING for finding in findings)
