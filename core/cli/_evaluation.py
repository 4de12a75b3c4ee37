"""An evaluation as one plain object: everything that its screen shows, with the files behind it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from core.data.verdicts import interval
from core.metrics import registry as metrics
from core.schemas.evaluation import EvaluationResult
from core.services import evaluations, judging, openings, prediction_files, runs
from core.store.tables import Evaluation, Run


def as_object(kept: Evaluation) -> dict[str, Any]:
    """The stored result as a whole (so that a new panel's figures are here without a change), with metrics by key, the
    openings of the test set, judges, and where predictions lie. Null where a number is not finite."""
    result = evaluations.result(kept)
    run = runs.get(kept.run_id)
    whole = result.model_dump(mode="json", exclude={"metrics", "contents"})
    found = {
        **whole,
        "verdict_sentence": " ".join(result.sentences),
        "metrics": {row.key: _metric(row.model_dump(mode="json")) for row in result.metrics},
        "test_set": _openings(run, kept),
        "judges": [made.model_dump(mode="json") for made in judging.of_evaluation(kept.id)],
        "predictions": prediction_files.paths(result),
        "ids": {"evaluation": kept.id, "run": run.id, "project": run.project_id},
        "created_at": kept.created_at,
    }
    return dict(finite(found))


def _metric(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its contenders beside the rest: `tuned`, `base` and so on, each with n and interval."""
    values, comparison = row.pop("values"), row["comparison"]
    return {
        **row,
        **values,
        "verdict": comparison["verdict"] if comparison else None,
        "change": comparison["change"] if comparison else None,
    }


def _openings(run: Run, kept: Evaluation) -> dict[str, Any]:
    opened = openings.of_lineage(run.project_id, kept.lineage)
    return {
        "lineage": kept.lineage,
        "opened": len(opened),
        "openings": [{"run": o.run_id, "at": o.at, "reason": o.reason} for o in opened],
    }


def finite(value: Any) -> Any:
    """JSON knows no NaN and no infinity."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: finite(inner) for key, inner in value.items()}
    return [finite(inner) for inner in value] if isinstance(value, list | tuple) else value


def as_lines(kept: Evaluation) -> list[str]:
    """A short summary for people."""
    result = evaluations.result(kept)
    lines = figures(result)
    lines += [f"Round {other.number}: {_against(other.comparisons, result.headline)}" for other in result.rounds]
    if result.forgetting:
        lines += [probe.sentence for probe in result.forgetting.probes] or [result.forgetting.reason]
    lines += [" ".join(made.sentences) for made in judging.of_evaluation(kept.id)[:1]]
    return lines


def _against(comparisons: Mapping[str, Any], headline: str) -> str:
    found = comparisons.get(headline)
    return f"this round is {found.verdict.value} by {headline}" if found else "not compared"


def figures(result: EvaluationResult) -> list[str]:
    rows = "Test set" if result.split == "test" else "Validation"
    lines = [f"{rows} ({result.n:,} rows): {result.verdict.value}. {' '.join(result.sentences)}"]
    for row in result.metrics:
        metric = metrics()[row.key]
        values = [f"{name} {interval(value, metric)}, n = {value.n:,}" for name, value in row.values.items()]
        lines.append(f"  {row.title}: {'; '.join(values)}")
    return lines
