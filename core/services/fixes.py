"""Fixes of the data: previewed, applied as a new version, never to a row of the test set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from core.data import fixes
from core.store.tables import DatasetVersion, Project

from . import datasets, health, preparation


def describe(key: str) -> fixes.Fix:
    """Title and description of a fix."""
    return fixes.FIXES[key]


def _open_rows(version: DatasetVersion) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(rows a fix may touch, rows of the locked test set)."""
    frame = datasets.frame(version)
    test = {row_id for row_id, part in preparation.fixed(version).items() if part == "test"}
    locked = frame[datasets.ROW_ID].isin(test)
    return frame[~locked].reset_index(drop=True), frame[locked]


def preview(project: Project, version: DatasetVersion, key: str, options: Mapping[str, Any]) -> fixes.Preview:
    """What the fix would do. Nothing is changed."""
    return fixes.preview(key, _open_rows(version)[0], version.roles, options)


def apply(project: Project, version: DatasetVersion, key: str, options: Mapping[str, Any]) -> DatasetVersion:
    """Apply the fix as a new version and ask for its health report. Row ids and the test set stay as they are."""
    rows, locked = _open_rows(version)
    fixed, count = fixes.apply(key, rows, version.roles, options)
    order = {row_id: i for i, row_id in enumerate(datasets.frame(version)[datasets.ROW_ID])}
    whole = pd.concat([fixed, locked]).sort_values(datasets.ROW_ID, key=lambda ids: ids.map(order))
    made = datasets.add_version(
        project.id,
        whole,
        roles=version.roles,
        title=describe(key).title,
        origin={"kind": "fix", "fix": key, "options": dict(options), "changed": count, "of": version.id},
        report=version.report,
        parent=version,
    )
    preparation.carry_over(project.id, version, made)
    health.submit(project.id, made.id)
    return made
