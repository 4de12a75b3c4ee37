"""Bias audits: ask for one, read it, and carry a corrective action to its verified end."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

import pandas as pd

from core.audits import registry as audits
from core.data import gates
from core.mitigations import registry as mitigations
from core.schemas.audits import Audit as AuditPlugin
from core.schemas.audits import AuditResult, GateResult
from core.schemas.errors import UserError
from core.schemas.examples import Example
from core.schemas.jobs import JobKind
from core.schemas.mitigations import Augmented, DataMitigation, SwapPreview
from core.store import jobs, records
from core.store.engine import write
from core.store.tables import Audit, Correction, Run
from core.tasks import registry as tasks

from . import datasets, preparation, runs

MOST_GROUPS = 20  # different values above which a column names no groups


def available(family: str) -> dict[str, AuditPlugin]:
    """Audits that can judge this kind of model."""
    return {key: audit for key, audit in audits().items() if family in audit.families}


def unfit(family: str) -> dict[str, UserError]:
    """Audits that cannot judge this kind of model, with what to say about it."""
    return {
        key: UserError(
            f"Not audited: {audit.title}",
            "This audit does not know models of this kind yet, so nothing was measured. That is no sign of fairness.",
            "Compare the model's answers for texts that differ only in the person they name, on the last screen.",
        )
        for key, audit in audits().items()
        if family not in audit.families
    }


def actions(family: str) -> dict[str, DataMitigation]:
    """Corrective actions for this kind of model."""
    return {key: action for key, action in mitigations().items() if family in action.families}


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


# -- corrective actions --------------------------------------------------------------------------------------------


def _train_rows(run: Run) -> tuple[list[Example], list[Example]]:
    """(training rows, held-out rows) of the run's plan."""
    parts = preparation.parts(preparation.get_plan(run.plan_id), run.task)
    return parts["train"], [*parts["validation"], *parts["test"]]


def preview(run: Run, action: str, config: Mapping[str, Any]) -> list[SwapPreview]:
    """Twenty rows that the action would add. Raises UserError where it must not be used."""
    plugin = actions(tasks()[run.task].family)[action]
    return plugin.preview(_train_rows(run)[0], plugin.config.model_validate(dict(config)))


def correct(run: Run, audit: Audit, action: str, config: Mapping[str, Any], struck: Collection[str] = ()) -> Correction:
    """Apply the action to the training split as a new dataset version, and queue the retrain with its second audit."""
    plugin = actions(tasks()[run.task].family)[action]
    train, held_out = _train_rows(run)
    added = plugin.apply(train, plugin.config.model_validate(dict(config)), frozenset(struck), held_out)
    version = _augmented_version(run, added, plugin.title)
    plan = preparation.extend(preparation.get_plan(run.plan_id), version, [e.row_id for e in added.examples])
    again = runs.successor(run, plugin.title, plan=plan)
    correction = Correction(
        project_id=run.project_id,
        action=action,
        config={
            **config,
            "added": len(added.examples),
            "left_out": added.left_out,
            "struck": sorted(struck),
            "audits": dict(audit.config),  # the second audit measures what the first one did
        },
        audit_before_id=audit.id,
        run_before_id=run.id,
        dataset_version_id=version.id,
        run_after_id=again.id,
    )
    with write():
        records.add(correction)
        runs.submit(again, JobKind.MITIGATE, correction_id=correction.id)
    return correction


def _augmented_version(run: Run, added: Augmented, title: str) -> Any:
    before = datasets.get_version(run.dataset_version_id)
    frame = datasets.frame(before)
    by_id = frame.set_index(datasets.ROW_ID, drop=False)
    rows = [_row(by_id.loc[added.sources[e.row_id]], e, before.roles) for e in added.examples]
    whole = pd.concat([frame, pd.DataFrame(rows)], ignore_index=True)
    return datasets.add_version(
        run.project_id,
        whole,
        roles=before.roles,
        title=f"{title}: {len(rows):,} rows added",
        origin={"kind": "correction", "of": before.id, "sources": added.sources},
        report=before.report,
        parent=before,
    )


def _row(source: Any, example: Example, roles: Mapping[str, str]) -> dict[str, Any]:
    """The new example as a row of the table, its other columns as in its source."""
    row = dict(source) | {datasets.ROW_ID: example.row_id}
    if example.messages:
        if roles.get("messages"):
            row[roles["messages"]] = _as_json(example)
        else:
            users = [m.content for m in example.messages if m.role == "user"]
            answers = {"chosen": example.reference, "rejected": example.rejected, "response": example.reference}
            row |= {roles[role]: text for role, text in answers.items() if roles.get(role)}
            if not example.rejected or (len(example.prompt) == 1 and roles.get("prompt")):
                row[roles["prompt"]] = users[-1]
            elif roles.get("prompt"):
                row[roles["prompt"]] = json.dumps([m.model_dump() for m in example.prompt], ensure_ascii=False)
            elif example.other is not None:  # both columns hold whole conversations
                row |= {roles["chosen"]: _as_json(example), roles["rejected"]: _as_json(example.other)}
            if roles.get("context"):
                row[roles["context"]] = None  # it is inside the swapped question already
    else:
        row[roles["text"]] = example.text
    return row


def _as_json(example: Example) -> str:
    return json.dumps([m.model_dump() for m in example.messages], ensure_ascii=False)


def corrections(project_id: str) -> list[Correction]:
    """Newest first."""
    return records.find(Correction, project_id=project_id)


def get_correction(correction_id: str) -> Correction:
    found = records.get(Correction, correction_id)
    if found is None:
        raise UserError("This corrective action is gone.", "Its project was deleted.", "Open another project.")
    return found


def judge_correction(
    correction: Correction,
    second: Mapping[str, AuditResult],
    quality_before: Mapping[str, float],
    quality_after: Mapping[str, float],
) -> dict[str, GateResult]:
    """Judge by every audit that the action names (called by the worker). `second`: the audits after it."""
    before = records.get(Audit, correction.audit_before_id)
    run = runs.get(str(correction.run_before_id))
    plugin = actions(tasks()[run.task].family)[correction.action]
    if before is None:
        raise UserError("The first audit is gone.", "It was deleted.", "Audit the first round again.")
    first = results(before)
    axes: Sequence[str] | None = correction.config.get("axes")
    return {
        key: gates.verify(first[key], second[key], quality_before, quality_after, axes)
        for key in plugin.verify_with
        if key in first and key in second and first[key].gaps and second[key].gaps
    }


def finish_correction(correction: Correction, after: Audit, judged: Mapping[str, GateResult]) -> None:
    """Keep how a corrective action ended (called by the worker)."""
    outcome = {"gates": {k: g.model_dump(mode="json") for k, g in judged.items()}}
    records.change(Correction, correction.id, {"audit_after_id": after.id, "outcome": outcome})


def outcome(correction: Correction) -> dict[str, GateResult]:
    """The gates' results by audit, empty until the second audit is there."""
    stored = (correction.outcome or {}).get("gates", {})
    return {key: GateResult.model_validate(value) for key, value in stored.items()}
