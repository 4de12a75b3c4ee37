"""Bias audits: ask for one, and read it. What is done about a finding is in `core/services/corrections.py`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from core.audits import registry as audits
from core.schemas.audits import Audit as AuditPlugin
from core.schemas.audits import AuditResult
from core.schemas.errors import UserError
from core.schemas.jobs import JobKind
from core.store import jobs, records
from core.store.tables import Audit, Run

from . import datasets, health_inputs

MOST_GROUPS = 20  # different values above which a column names no groups


def available(family: str) -> dict[str, AuditPlugin]:
    """Audits that can judge this kind of model."""
    return {key: audit for key, audit in audits().items() if family in audit.families}


def unfit(family: str) -> dict[str, UserError]:
    """What to say where no audit knows models of this kind; empty where some do."""
    if any(audit.needs_model for audit in available(family).values()):
        return {}
    return {
        "model": UserError(
            "The model was not audited.",
            "No audit knows models of this kind yet, so nothing was measured. That is no sign of fairness.",
            "Compare the model's answers for texts that differ only in the person they name, on the last screen.",
        )
    }


def submit(
    run: Run, config: Mapping[str, Mapping[str, Any]] | None = None, split: Literal["validation", "test"] = "validation"
) -> str:
    """Queue an audit of the run's data and model on validation rows and neutral probes. `config`: audit key to settings.

    A final audit looks at test rows in their place, and counts as an opening of the test set.
    """
    if not run.summary:
        raise UserError(
            "There is no model to audit yet.", "The training is not finished.", "Wait for it, or resume it."
        )
    return jobs.submit(JobKind.AUDIT, run.project_id, {"run_id": run.id, "config": dict(config or {}), "split": split})


def group_columns(run: Run) -> dict[str, tuple[str, ...]]:
    """Columns of the person's own that could say which group a row is about, with their values: 2 to 20 that repeat."""
    version = datasets.get_version(run.dataset_version_id)
    frame = datasets.frame(version)
    taken = {datasets.ROW_ID, datasets.PART, *version.roles.values()}
    found = {}
    for column in frame.columns:
        if column in taken:
            continue
        counts = frame[column].dropna().str.strip().value_counts()
        if MOST_GROUPS >= len(counts) >= 2 and counts.sum() >= 5 * len(counts):
            found[str(column)] = tuple(map(str, counts.index))
    return found


def suggested_columns(columns: Iterable[str]) -> list[str]:
    """Those of them whose name speaks of a kind of group: chosen for an audit unless the person takes them out."""
    return [column for column in columns if health_inputs.names_people(column)]


def own_groups(run: Run, config: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """The group columns that an audit's config names, each as row id to group."""
    frame = datasets.frame(datasets.get_version(run.dataset_version_id))
    wanted = [c for c in (config.get("data_coverage") or {}).get("columns", ()) if c in frame.columns]
    return {
        column: {
            str(row): str(group) for row, group in zip(frame[datasets.ROW_ID], frame[column].fillna(""), strict=True)
        }
        for column in wanted
    }


def other_columns(run: Run, config: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Columns of few values that an audit does not take as groups: one of them may explain a difference between groups."""
    names = tuple(group_columns(run))
    found = own_groups(run, {"data_coverage": {"columns": names}})
    return {name: values for name, values in found.items() if name not in own_groups(run, config)}


def of_run(run_id: str) -> list[Audit]:
    """Newest first."""
    return records.find(Audit, run_id=run_id)


def results(audit: Audit) -> dict[str, AuditResult]:
    """Results by audit key."""
    return {key: AuditResult.model_validate(value) for key, value in audit.result["audits"].items()}


def refusals(audit: Audit) -> dict[str, dict[str, str]]:
    """Audits that could not be done, with the reason as a `UserError` dict."""
    return dict(audit.result.get("refused", {}))


def store(
    run: Run,
    config: Mapping[str, Any],
    done: Mapping[str, AuditResult],
    refused: Mapping[str, Any],
    split: str = "validation",
) -> Audit:
    """Keep an audit with the part of the split that it looked at (called by the worker)."""
    return records.add(
        Audit(
            project_id=run.project_id,
            run_id=run.id,
            config=dict(config),
            result={
                "audits": {k: v.model_dump(mode="json") for k, v in done.items()},
                "refused": dict(refused),
                "split": split,
            },
        )
    )
