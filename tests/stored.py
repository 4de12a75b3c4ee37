"""Rows that a test of the store or the worker needs before it can begin."""

from __future__ import annotations

from core.store import records
from core.store.tables import DatasetVersion, Plan, Project, Run


def project(name: str = "a project") -> Project:
    return records.add(Project(name=name, task="classification"))


def run(owner: Project | None = None) -> Run:
    """A run with the project, dataset version and plan that it needs."""
    owner = owner or project()
    version = records.add_numbered(
        DatasetVersion(project_id=owner.id, title="rows", content="none", rows=0, roles={}, origin={})
    )
    plan = records.add(Plan(project_id=owner.id, dataset_version_id=version.id, config={}, counts={}, content="none"))
    return records.add_numbered(
        Run(
            project_id=owner.id,
            name="a run",
            dataset_version_id=version.id,
            plan_id=plan.id,
            base_model_key="starter",
            task="classification",
            recipe={},
        )
    )
