"""The health report of a dataset version: asked for as a job, kept with the version, and reused where nothing changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from core.data import health
from core.data.health_rows import ANSWERS, role_of
from core.data.personal_data import find_all
from core.schemas.errors import UserError
from core.schemas.findings import Finding
from core.schemas.health import HealthReport
from core.schemas.jobs import Job, JobKind
from core.store import jobs, records
from core.store.files import load_table
from core.store.tables import DatasetVersion, Project

from . import datasets, health_inputs, identity_words, status

EDITION = 3  # grows when the checks change, so that an older report counts as out of date


def submit(project_id: str, version_id: str) -> str | None:
    """Ask for the report of a version. Returns the id of the job, or None where the report could be reused at once.

    A job that is already on its way for the same version and the same state of things is not doubled.
    """
    version = datasets.get_version(version_id)
    key = key_of(version)
    if reuse(version, key):
        return None
    for job in running(project_id, version_id):
        if job.payload.get("key") == key:
            return job.id
    return jobs.submit(JobKind.CHECK, project_id, {"version_id": version_id, "key": key})


def of(version: DatasetVersion) -> HealthReport | None:
    """The report that is kept with the version, whether or not things changed since."""
    return HealthReport.model_validate(version.health) if version.health else None


def is_current(version: DatasetVersion) -> bool:
    """Whether there is a report and nothing that it rests on has changed (split, real-use texts, base model, checks)."""
    return version.health is not None and version.health.get("key") == key_of(version)


def running(project_id: str, version_id: str) -> list[Job]:
    """Queued and running checks of a version, oldest first."""
    active = status.active_jobs(project_id)
    return [j for j in active if j.kind is JobKind.CHECK and j.payload.get("version_id") == version_id]


def last_failure(project_id: str, version_id: str) -> Job | None:
    """The newest check of a version, where it ended with an error."""
    checks = jobs.find(project_id=project_id, kinds=[JobKind.CHECK])
    newest = next((j for j in checks if j.payload.get("version_id") == version_id), None)
    return newest if newest is not None and newest.error else None


def check(version: DatasetVersion, progress: health.Progress = lambda title, done, total: None) -> HealthReport:
    """Make and keep the report (run by the worker). `progress` is told each step before it begins, and may raise."""
    project = records.get(Project, version.project_id)
    if project is None or not project.task:
        raise UserError("The project has no task.", "Nobody said what to learn.", "Choose the task on Dataset first.")
    key = key_of(version)
    if (known := reuse(version, key)) is not None:
        return known
    skipped: dict[str, str] = {}
    examples = health_inputs.stream(
        version, project.task, skipped, lambda done: progress("Reading the rows", done, version.rows)
    )
    report = health.report(
        examples,
        project.task,
        skipped,
        lambda title, done, total: progress(f"Checking: {title}", done, total),
        health_inputs.around(project, version),
    ).model_copy(update={"key": key})
    datasets.store_health(version.id, report.model_dump(mode="json"))
    return report


class EvidenceRow(NamedTuple):
    """A row as a finding shows it: `found` is the suspicious word, or why it is listed; `marks` are words of the text."""

    row_id: str
    found: str
    label: str
    text: str
    marks: tuple[str, ...] = ()


def evidence(version: DatasetVersion, finding: Finding, most: int) -> list[EvidenceRow]:
    """The first rows of a finding, in its order; rows that are not there any more are left out."""
    wanted = list(finding.row_ids[:most])
    marks = finding.data.get("evidence") or {}
    roles = {role: column for role, column in version.roles.items() if column}
    rows = {row[datasets.ROW_ID]: row for row in _rows(version, wanted, list(dict.fromkeys(roles.values())))}
    shown = []
    for row_id in (row for row in wanted if row in rows):
        cells = {role: rows[row_id][column] or "" for role, column in roles.items()}
        answers = [role for role in cells if role_of(role) in ANSWERS]
        label = ", ".join(cell for role in answers if (cell := cells.pop(role)))
        text = "\n".join(cell for cell in cells.values() if cell)
        found = str(marks.get(row_id, ""))
        # Personal data is not kept in the report, only where it is.
        words = tuple(find_all(text).values()) if finding.check == "personal_data" else (found,)
        shown.append(EvidenceRow(row_id, found, label, text, words))
    return shown


def _rows(version: DatasetVersion, row_ids: Sequence[str], columns: Sequence[str]) -> list[dict[str, Any]]:
    table = load_table(version.content, [datasets.ROW_ID, *columns])
    found = table.filter(pc.is_in(table[datasets.ROW_ID], value_set=pa.array(row_ids, table[datasets.ROW_ID].type)))
    return list(found.to_pylist())


def reuse(version: DatasetVersion, key: str) -> HealthReport | None:
    """The report with this key, its own or that of another version with the same content, now kept with this one."""
    for other in [version, *records.find(DatasetVersion, content=version.content)]:
        if other.health and other.health.get("key") == key:
            if other.id != version.id:
                datasets.store_health(version.id, other.health)
            return HealthReport.model_validate(other.health)
    return None


def key_of(version: DatasetVersion) -> str:
    """A hash of all that the report of this version rests on."""
    project = records.get(Project, version.project_id)
    plan = health_inputs.plan_of(version)
    basis: list[Any] = [
        EDITION,
        version.content,
        sorted((role, column) for role, column in version.roles.items() if column),
        project.task if project else None,
        project.settings.get(health_inputs.REAL_TEXTS) if project else None,
        project.settings.get(identity_words.KEY) if project else None,
        plan.content if plan else None,
        plan.config if plan and project and project.base_model_key else None,
        project.base_model_key if project else None,
        [[earlier.number, earlier.measures] for earlier in health_inputs.earlier(version)],
    ]
    return hashlib.sha256(json.dumps(basis, sort_keys=True).encode()).hexdigest()[:32]
