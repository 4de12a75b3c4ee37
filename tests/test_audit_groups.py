"""Columns of the person's own in a bias audit: which ones are offered, and what an audit gets of them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from databases import migrated

from core.services import audits, datasets, projects
from core.store.tables import Run


@pytest.fixture
def run(storage: Path) -> Run:
    migrated()
    project = projects.create("Groups", "classification")
    rows = 40
    frame = pd.DataFrame({
        "row_id": [f"r{i}" for i in range(rows)],
        "text": [f"text {i}" for i in range(rows)],
        "label": ["yes", "no"] * (rows // 2),
        "region": ["north", "south", None, " north "] * (rows // 4),
        "ticket": [f"T{i}" for i in range(rows)],
        "source": ["web"] * rows,
    })  # fmt: skip
    version = datasets.add_version(project.id, frame, roles={"text": "text", "label": "label"}, title="t", origin={})
    return Run(project_id=project.id, dataset_version_id=version.id)


def test_only_columns_whose_few_values_repeat_are_offered_as_groups(run: Run) -> None:
    assert audits.group_columns(run) == {"region": ("north", "south")}


def test_the_chosen_columns_reach_the_audit_by_row_and_unknown_ones_do_not(run: Run) -> None:
    groups = audits.own_groups(run, {"data_coverage": {"columns": ["region", "gone"]}})
    assert list(groups) == ["region"]
    assert [groups["region"][f"r{i}"].strip() for i in range(4)] == ["north", "south", "", "north"]
    assert audits.own_groups(run, {}) == {}
