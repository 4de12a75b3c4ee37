"""Fixes of the data: previewed, applied as a new version, never to a row of the test set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from core.data import fixes
from core.data.fixes import Fix, Preview
from core.data.health_rows import filled
from core.schemas.errors import UserError
from core.schemas.jobs import JobKind
from core.store import jobs, records
from core.store.tables import DatasetVersion, Plan, Project, RowQueue

from . import datasets, health, preparation

LARGE = 20_000  # rows above which a fix is applied by the worker, and a preview looks at a sample
LARGE_IN_ONE_PASS = 100_000  # the same for a preview that goes through the table once
_PLACE = "place_in_file"  # a column that exists only while a fix is applied

Step = tuple[str, Mapping[str, Any]]


class Seen(NamedTuple):
    """A preview, how many rows of the locked test set the fix leaves alone, and how many of them would need it too."""

    preview: Preview
    locked: int
    locked_in_need: int


def describe(key: str) -> Fix:
    """Title, description and options of a fix."""
    return fixes.find(key)


def menu(version: DatasetVersion) -> list[Fix]:
    """The fixes that can be applied to this version without a finding, in the order of the menu."""
    return [fix for fix in fixes.registry().values() if fix.in_menu and fix.fits(version.roles)]


def label_counts(version: DatasetVersion) -> dict[str, int]:
    """Rows of each label as written, most frequent first; empty where the task has no labels."""
    column = version.roles.get("label")
    if not column:
        return {}
    counts = Counter(filled(datasets.page(version, 0, version.rows, [column])[column]))
    return {label: n for label, n in counts.most_common() if label.strip()}


def label_merges(version: DatasetVersion) -> tuple[dict[str, int], dict[str, str]]:
    """(rows of each label as written, the spellings that look like another label with the name they should become)."""
    counts = label_counts(version)
    return counts, {raw: to for raw, to in fixes.proposed_merges(counts).items() if raw != to}


def locked_rows(version: DatasetVersion) -> set[str]:
    """Row ids of the test set, once it is fixed. No fix touches them: a score on other rows could not be compared."""
    return {row_id for row_id, part in preparation.fixed(version).items() if part == "test"}


def preview(project: Project, version: DatasetVersion, key: str, options: Mapping[str, Any]) -> Preview:
    """What the fix would do. Nothing is changed."""
    return preview_steps(version, [(key, options)]).preview


def preview_steps(version: DatasetVersion, steps: Sequence[Step], *, everywhere: bool = False) -> Seen:
    """What these fixes would do together. Of a large table only a sample is looked at where that tells enough.

    `everywhere` also looks at the rows of the test set, which starts a new one.
    """
    frame, locked = datasets.frame(version), set[str]() if everywhere else locked_rows(version)
    is_locked = frame[datasets.ROW_ID].isin(locked)
    rows = frame[~is_locked].reset_index(drop=True)
    judged = {describe(key).judges for key, _ in steps if describe(key).in_menu}
    sample = (LARGE_IN_ONE_PASS if judged == {"table"} else LARGE) if judged else None  # chosen rows are found at once
    alone = [step for step in steps if describe(step[0]).judges == "rows" and describe(step[0]).in_menu]
    kept = frame[is_locked].reset_index(drop=True)
    in_need = len(fixes.preview_steps(alone, kept, version.roles).row_ids) if locked and alone else 0
    return Seen(fixes.preview_steps(steps, rows, version.roles, sample), len(kept), in_need)


def apply(project: Project, version: DatasetVersion, key: str, options: Mapping[str, Any]) -> DatasetVersion:
    """Apply the fix as a new version and ask for its health report. Row ids and the test set stay as they are."""
    return apply_steps(project, version, [(key, options)])


def apply_steps(
    project: Project,
    version: DatasetVersion,
    steps: Sequence[Step],
    title: str = "",
    origin: Mapping[str, Any] | None = None,
    *,
    everywhere: bool = False,
) -> DatasetVersion:
    """Apply fixes together as one new version. What was done, with which options, is kept in its `origin`.

    `everywhere` changes test rows too: the version begins a new test set, whose scores are not compared with earlier ones.
    Raises UserError where nothing would change.
    """
    rows = datasets.frame(version)
    rows = rows.assign(**{_PLACE: range(len(rows))})
    locked = rows[datasets.ROW_ID].isin(set[str]() if everywhere else locked_rows(version))
    mended, change = fixes.apply_steps(steps, rows[~locked].reset_index(drop=True), version.roles)
    if not change.row_ids:
        raise UserError("Nothing would change.", "No row needs this fix.", "Choose another fix or other settings.")
    whole = pd.concat([mended, rows[locked]]).sort_values(_PLACE, kind="stable").drop(columns=_PLACE)
    key, options = steps[0]
    made = datasets.add_version(
        project.id,
        whole,
        roles=version.roles,
        title=title or describe(key).title,
        origin={
            "kind": "fix",
            "fix": key,
            "options": dict(options),
            "steps": [[name, dict(given)] for name, given in steps],
            "changed": len(change.row_ids),
            "counts": {"dropped": len(change.drop), "changed": len(change.changed), "cut": len(change.cut)},
            "locked": int(locked.sum()),
            "everywhere": everywhere,
            "of": version.id,
            **(origin or {}),
        },
        report=version.report,
        parent=version,
        lineage=datasets.next_lineage(project.id) if everywhere and locked_rows(version) else None,
    )
    preparation.carry_over(project.id, version, made)
    health.submit(project.id, made.id)
    return made


def start(
    project: Project,
    version: DatasetVersion,
    steps: Sequence[Step],
    title: str = "",
    origin: Mapping[str, Any] | None = None,
    *,
    everywhere: bool = False,
) -> DatasetVersion | str:
    """Apply at once, or have the worker do it where the table is large: the new version, or the id of the job."""
    if version.rows <= LARGE:
        return apply_steps(project, version, steps, title, origin, everywhere=everywhere)
    payload = {
        "version_id": version.id,
        "steps": [[key, dict(options)] for key, options in steps],
        "title": title,
        "origin": dict(origin or {}),
        "everywhere": everywhere,
    }
    return jobs.submit(JobKind.FIX, project.id, payload)


def apply_job(project_id: str, job_id: str, payload: Mapping[str, Any]) -> DatasetVersion:
    """What `start` left to the worker. Done again after a crash it finds the version that was made already, and does what
    comes after it."""
    for made in datasets.versions(project_id):
        if made.origin.get("job") == job_id:
            if not records.find(Plan, project_id=project_id, dataset_version_id=made.id):
                preparation.carry_over(project_id, datasets.get_version(payload["version_id"]), made)
                health.submit(project_id, made.id)
            if queue := payload.get("origin", {}).get("queue"):
                records.change(RowQueue, queue, {"made_version_id": made.id})
            return made
    project = records.get(Project, project_id)
    if project is None:
        raise UserError("The project is gone.", "It was deleted.", "Open another project.")
    steps = [(str(key), dict(options)) for key, options in payload["steps"]]
    version, origin = datasets.get_version(payload["version_id"]), payload.get("origin", {})
    made = apply_steps(
        project,
        version,
        steps,
        payload.get("title", ""),
        {**origin, "job": job_id},
        everywhere=payload.get("everywhere", False),
    )
    if origin.get("queue"):
        records.change(RowQueue, origin["queue"], {"made_version_id": made.id})
    return made
