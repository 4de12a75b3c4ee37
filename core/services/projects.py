"""Projects: create, open, rename, duplicate, delete, and what each one has reached."""

from __future__ import annotations

import time
from typing import Any

from core.schemas.errors import UserError
from core.schemas.jobs import Desired, JobState
from core.store import deleting, jobs, records
from core.store.tables import Audit, DatasetVersion, Evaluation, Export, FilterVersion, Plan, Project, Run, SampleSet
from core.tasks import registry as tasks

NAME_LENGTH = 80


def _clean(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise UserError(
            "The project needs a name.", "The name is empty.", "Type a short name, for example its purpose."
        )
    return name[:NAME_LENGTH]


def create(name: str, task: str | None = None, goal: str = "", sample_key: str | None = None) -> Project:
    """Add an empty project. Raises UserError for an empty name or an unknown task."""
    if task is not None:
        _known_task(task)
    return records.add(Project(name=_clean(name), task=task, goal=goal, sample_key=sample_key))


def _known_task(task: str) -> None:
    if task not in tasks():
        raise UserError(
            "This task is not known.", f"There is no task {task!r}.", f"Choose one of: {', '.join(tasks())}."
        )


def get(project_id: str) -> Project:
    """Raises UserError when there is no such project (an old address, for example)."""
    project = records.get(Project, project_id)
    if project is None:
        raise UserError(
            "This project does not exist.", "It was deleted, or the address is not complete.", "Open it from the list."
        )
    return project


def all_projects() -> list[Project]:
    """Newest change first."""
    return sorted(records.find(Project), key=lambda p: -p.updated_at)


def update(project_id: str, **values: Any) -> Project:
    """Set columns (name, task, goal, success, dataset_version_id, base_model_key) and touch the project."""
    if "name" in values:
        values["name"] = _clean(values["name"])
    if values.get("task") is not None:
        _known_task(values["task"])
    records.change(Project, project_id, {**values, "updated_at": time.time()})
    return get(project_id)


def settings(project_id: str, **values: Any) -> dict[str, Any]:
    """Store drafts of forms (keys such as `plan`, `recipe`) and return all of them."""
    if values:
        records.merge_json(Project, project_id, "settings", values)
        records.change(Project, project_id, {"updated_at": time.time()})
    return dict(get(project_id).settings)


def duplicate(project_id: str) -> Project:
    """A new project with the same task, goal, data, settings and output filter, and no runs. Files never change, so they are
    shared."""
    source = get(project_id)
    copy = records.add(
        Project(
            name=_clean(f"{source.name} (copy)"),
            task=source.task,
            goal=source.goal,
            success=source.success,
            settings=source.settings,
            base_model_key=source.base_model_key,
            sample_key=source.sample_key,
        )
    )
    if source.dataset_version_id and (version := records.get(DatasetVersion, source.dataset_version_id)):
        made = records.add_numbered(
            DatasetVersion(
                project_id=copy.id,
                title=version.title,
                content=version.content,
                rows=version.rows,
                roles=version.roles,
                origin={"kind": "copy", "of": version.id},
                report=version.report,
                health=version.health,
            )
        )
        records.change(Project, copy.id, {"dataset_version_id": made.id})
    guards = [v for v in records.find(FilterVersion, project_id=project_id) if v.run_id is None]
    if guards:
        newest = max(guards, key=lambda v: v.number)
        records.add_numbered(FilterVersion(project_id=copy.id, rules=newest.rules, red_list=newest.red_list))
    return get(copy.id)


def delete(project_id: str) -> None:
    """Stop its jobs and delete the project with everything that was recorded for it, in the database and on disk.

    Files that another project names as well stay.
    """
    active = jobs.find(project_id=project_id, states=[JobState.QUEUED, JobState.RUNNING, JobState.PAUSED])
    for job in active:
        jobs.wish(job.id, Desired.CANCEL)
    deleting.delete_project(project_id)


class Progress(dict[str, bool]):
    """Which steps of the journey are done, by step key."""


def progress(project: Project) -> Progress:
    """What exists of the journey: dataset, model, tokens, recipe, training, evaluation, rounds, samples, bias, use."""
    finished = [r for r in records.find(Run, project_id=project.id) if r.summary]
    plans, evaluations, sample_sets, audits, exports = records.present(
        Plan, Evaluation, SampleSet, Audit, Export, project_id=project.id
    )
    has = {
        "dataset": bool(project.dataset_version_id and project.task),
        "model": bool(project.base_model_key),
        "tokens": plans,
        "recipe": "recipe" in project.settings or bool(finished),
        "training": bool(finished),
        "evaluation": evaluations,
        "rounds": bool(finished),
        "samples": sample_sets,
        "bias": audits,
        "use": exports,
    }
    return Progress(has)
