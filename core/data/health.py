"""The health report of a dataset: runs every check that fits the examples, and sorts what they found by weight."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from core.schemas.examples import Example
from core.schemas.findings import Finding, Severity
from core.schemas.health import HealthReport

from .checks import registry
from .checks._around import Around, Earlier, Tokens
from .checks._context import Context

__all__ = ["Around", "Earlier", "Tokens", "report"]

Skipped = Mapping[str, str] | Sequence[str]
Progress = Callable[[str, int, int], None]
CAUTION = (
    "Go through them one by one. In these data a label goes with a group of people (see People): rows that treat that group "
    "otherwise are listed here as if they were wrong, and removing them would make the model more one-sided."
)
WEIGHT = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2, Severity.GOOD: 3}


def report(
    examples: Iterable[Example],
    task_key: str,
    skipped: Skipped = (),
    progress: Progress = lambda title, done, total: None,
    around: Around | None = None,
) -> HealthReport:
    """Run all checks on the examples of one dataset. Deterministic; nothing is changed.

    `examples` are read once, so a generator will do. `skipped` holds the ids of rows that could not become examples,
    with the reason in two or three words where it is known (see `core.data.health_rows`). `around` is what is known
    beside the rows. `progress` is given the title of each check before it runs, how many are done and how many there
    are; what it raises ends the report. Findings are sorted from errors to good news, and within one weight in the
    order of the checks.
    """
    reasons = skipped if isinstance(skipped, Mapping) else dict.fromkeys(skipped, "nothing to learn from")
    started = time.perf_counter()
    context = Context.of(examples, task_key, reasons, around)
    checks = [check for check in registry().values() if context.shape in check.shapes]
    findings: list[Finding] = []
    timings: dict[str, float] = {}
    for done, check in enumerate(checks):
        progress(check.title, done, len(checks))
        begun = time.perf_counter()
        findings += check.run(context)
        timings[check.key] = round(time.perf_counter() - begun, 4)
    findings = _with_caution(findings)
    return HealthReport(
        task=task_key,
        rows=len(set(context.row_ids) | set(reasons)),
        counts=_counts(context, findings),
        findings=tuple(sorted(findings, key=lambda f: WEIGHT[f.severity])),
        language=next((f.data["language"] for f in findings if "language" in f.data), None),
        seconds=round(time.perf_counter() - started, 4),
        timings=timings,
    )


def _with_caution(findings: Sequence[Finding]) -> list[Finding]:
    """Where a label goes with a group of people, rows that go against that look like wrong labels. Whoever removes them
    strengthens the tie, so the list of wrong labels says so and offers no removal of all at once."""
    if not any(f.check == "identity_labels" and f.severity is Severity.WARNING for f in findings):
        return list(findings)
    return [
        f.model_copy(update={"fix": CAUTION, "data": {k: v for k, v in f.data.items() if not k.startswith("fix_")}})
        if f.check == "label_noise" and "suspects" in f.data
        else f
        for f in findings
    ]


def _counts(context: Context, findings: Sequence[Finding]) -> dict[str, int]:
    counts: dict[str, Any] = {"examples": context.rows, "skipped": len(context.skipped)}
    for finding in findings:
        counts |= finding.data.get("counts", {})
    return counts
