"""What a job file led to: one plain object for programs, a short summary for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.schemas.findings import Severity
from core.schemas.health import HealthReport
from core.services import audits, exports, models

from . import _evaluation
from ._journey import Journey
from .export import as_object as as_export


def as_object(journey: Journey, seconds: Mapping[str, float]) -> dict[str, Any]:
    """JSON-ready: no figure without n and interval, null where a number is not finite. Steps not asked for are null."""
    project, plan, run = journey.project, journey.plan, journey.run
    model = models.get(project.base_model_key)
    rows: dict[str, Any] = {"version": journey.version, "plan": plan, "run": run, "evaluation": journey.evaluation}
    rows |= {"audit": journey.audit, "export": journey.exports[0] if journey.exports else None}
    found = {
        "ids": {
            "project": project.id,
            **{name: row.id if row is not None else None for name, row in rows.items()},
            "jobs": journey.jobs,
        },
        "task": project.task,
        "model": model.model_dump(include={"key", "title", "revision", "parameters", "licence"}),
        "dataset": _dataset(journey),
        "preparation": plan.config if plan else None,
        "splits": plan.counts if plan else None,
        "recipe": run.recipe if run else None,
        "training": {"name": run.name, **(run.summary or {})} if run else None,
        "evaluation": _evaluation.as_object(journey.evaluation) if journey.evaluation else None,
        "audit": _audit(journey),
        "export": _export(journey),
        "seconds": dict(seconds),
    }
    return dict(_evaluation.finite(found))


def _dataset(journey: Journey) -> dict[str, Any] | None:
    version = journey.version
    if version is None:
        return None
    health = HealthReport.model_validate(version.health or {"task": journey.job.task, "rows": version.rows})
    files = [
        {key: file[key] for key in ("filename", "format", "rows")}
        | {"notes": [note["title"] for note in file["notes"]]}
        for file in version.report.get("files", [])
    ]
    return {
        "rows": version.rows,
        "columns": version.roles,
        "files": files,
        "language": health.language,
        "counts": health.counts,
        "findings": {severity.value: [f.title for f in health.of(severity)] for severity in reversed(Severity)},
    }


def _audit(journey: Journey) -> dict[str, Any] | None:
    if journey.audit is None:
        return None
    done = {
        key: {
            "title": result.title,
            "headline": result.headline,
            "n": result.n,
            "unit": result.unit,
            "findings": [{"severity": f.severity.value, "title": f.title} for f in result.findings],
            "comparisons": [c.model_dump(mode="json") for c in result.comparisons],
            "not_tested": list(result.not_tested),
        }
        for key, result in audits.results(journey.audit).items()
    }
    return {"audits": done, "refused": audits.refusals(journey.audit)}


def _export(journey: Journey) -> dict[str, Any] | None:
    """The first of the formats that were asked for, with the others as `others`."""
    if not journey.exports:
        return None
    first, *others = [as_export(export) for export in journey.exports]
    return {**first, "others": others}


# -- for people --------------------------------------------------------------------------------------------------------


def as_text(journey: Journey, seconds: Mapping[str, float]) -> str:
    """A short summary in lines of plain text."""
    lines = [f"Project: {journey.project.name} ({journey.project.id})"]
    if journey.version is not None:
        lines += _data_lines(journey)
    if journey.run is not None:
        summary = journey.run.summary or {}
        lines.append(
            f"Training {journey.run.name}: {summary['steps']:,} steps, {summary['train_tokens']:,} tokens, "
            f"{summary['seconds']:,.0f} s; best checkpoint at step {summary['best_step']:,}"
        )
    if journey.evaluation is not None:
        lines += _evaluation.as_lines(journey.evaluation)
    if journey.audit is not None:
        lines += [f"Bias audit, {r.title}: {r.headline}" for r in audits.results(journey.audit).values()]
        lines += [f"Bias audit, {key}: not done. {why['cause']}" for key, why in audits.refusals(journey.audit).items()]
    for export in journey.exports:
        lines.append(f"Exported as {export.kind} to {export.folder}. {exports.proof(export)}")
    lines.append("Seconds: " + ", ".join(f"{name} {value:.0f}" for name, value in seconds.items()))
    return "\n".join(lines)


def _data_lines(journey: Journey) -> list[str]:
    report = _dataset(journey) or {}
    roles = ", ".join(f"{role} = {column}" for role, column in report["columns"].items())
    lines = [f"Data: {report['rows']:,} rows; {roles}"]
    lines += [f"  {level}: {title}" for level in ("error", "warning") for title in report["findings"][level]]
    if journey.plan is not None:
        split = ", ".join(f"{part} {count:,}" for part, count in journey.plan.counts.items())
        lines.append(f"Split: {split}; at most {journey.plan.config['max_length']} tokens")
    return lines
