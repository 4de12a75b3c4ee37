"""Carry out a job file step by step, through the same services, database and worker as the screens."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from core.schemas.errors import UserError
from core.schemas.examples import Split
from core.schemas.imports import ImportOptions, ImportReport
from core.schemas.job_file import JobFile
from core.schemas.recipe import Recipe
from core.services import (
    audits,
    datasets,
    evaluations,
    exports,
    fetching,
    models,
    preparation,
    projects,
    recipes,
    runs,
    tokens,
)
from core.store.tables import Audit, DatasetVersion, Evaluation, Export, Plan, Project, Run
from core.tasks import registry as tasks

from ._job_file import MANUAL
from ._watch import Watch

Kept = TypeVar("Kept", Evaluation, Audit, Export)
REASON = "asked for on the command line"  # of an opening of the test set
# How a table is written: the same for all files of one set, so that what was found in the training file holds for all.
SHARED_OPTIONS = ("separator", "quoting", "has_header", "text_mode", "chunk_characters")


@dataclass
class Journey:
    """What exists so far. `jobs` holds the id of the worker's job of each step."""

    job: JobFile
    project: Project
    version: DatasetVersion | None = None
    plan: Plan | None = None
    run: Run | None = None
    evaluation: Evaluation | None = None
    audit: Audit | None = None
    exports: list[Export] = field(default_factory=list)
    jobs: dict[str, str] = field(default_factory=dict)


def data_files(job: JobFile, folder: Path) -> dict[Split, Path]:
    """The files of the job by part. Raises UserError where one is not there."""
    files = {}
    for part, name in job.data.parts.items():
        path = folder / Path(name).expanduser()
        if not path.is_file():
            raise UserError(
                "A data file was not found.",
                f"`data` names {name} for {part}, and there is no file {path.resolve()}.",
                "Check the path. It starts at the folder of the job file unless it is absolute.",
            )
        files[part] = path
    return files


def carry_out(job: JobFile, folder: Path, name: str, watch: Watch) -> Journey:
    """All steps in order. `folder` is where relative paths start, `name` the project's where the job gives none.

    Raises UserError at the first step that cannot be done; what was done before stays in the project.
    """
    files = data_files(job, folder)
    journey = Journey(job, projects.create(job.project or name, job.task, job.goal))
    _import(journey, files, watch)
    _choose_model(journey, folder, watch)
    _prepare(journey, watch)
    if "train" in job.steps:
        _train(journey, watch)
    if "evaluate" in job.steps:
        submit = partial(evaluations.submit, reason=REASON)
        journey.evaluation = _follow(journey, watch, "Evaluation", "evaluate", submit, evaluations.of_run)
    if "audit" in job.steps:
        journey.audit = _follow(journey, watch, "Bias audit", "audit", audits.submit, audits.of_run)
    if "export" in job.steps:
        for kind in job.formats:
            step = "export" if kind == job.formats[0] else f"export {kind}"
            submit = partial(exports.submit, kind=kind)
            journey.exports.append(_follow(journey, watch, "Export", step, submit, exports.of_run))
    return journey


# -- data --------------------------------------------------------------------------------------------------------------


def _import(journey: Journey, files: Mapping[Split, Path], watch: Watch) -> None:
    began, job, project = watch.now(), journey.job, journey.project
    watch.show("Import", "Looking at the file")
    try:
        payload, roles = _inspect(job, project, files)
    except UserError:
        projects.delete(project.id)  # nothing was imported: no empty project is left behind
        raise
    journey.jobs["import"] = datasets.submit_import(project.id, payload, roles, job.task)
    imported = watch.wait("Import", journey.jobs["import"]).result or {}
    if check := imported.get("check_job_id"):
        journey.jobs["check"] = check
        watch.wait("Health report", check)
    journey.project = projects.get(project.id)
    journey.version = datasets.current(journey.project)
    watch.step("import", began)


def _inspect(
    job: JobFile, project: Project, files: Mapping[Split, Path]
) -> tuple[list[dict[str, object]], dict[str, str]]:
    """(files of the import job, role to column), with what was detected in the training file."""
    options, roles = job.read, dict(job.columns)
    payload: list[dict[str, object]] = []
    for part, path in files.items():
        with path.open("rb") as stream:
            upload = datasets.keep_upload(project.id, path.name, stream)
        report = datasets.inspect({"upload_id": upload.id, "options": options.model_dump(mode="json")})
        if part == "train":
            roles = choose_roles(job, report)
            first = report
        _check_columns(roles, report, path)
        payload.append({"upload_id": upload.id, "options": report.options.model_dump(mode="json"), "part": part})
        options = _as_first(job.read, first.options) if path.suffix == files["train"].suffix else job.read
    return payload, roles


def _as_first(asked: ImportOptions, found: ImportOptions) -> ImportOptions:
    return asked.model_copy(update={name: getattr(found, name) for name in SHARED_OPTIONS})


def choose_roles(job: JobFile, report: ImportReport) -> dict[str, str]:
    """Role to column: as the job file says, the rest as the columns suggest. Raises UserError where one is missing."""
    task = tasks()[job.task]
    roles = dict(job.columns)
    try:
        task.check_roles(roles)
    except UserError:
        suggested = report.roles.get(job.task, {})
        given = {role.partition(":")[0] for role in roles}
        free = {
            role: column
            for role, column in suggested.items()
            if column not in roles.values() and role.partition(":")[0] not in given
        }
        roles = {**free, **roles}
    try:
        task.check_roles(roles)
    except UserError as error:
        names = ", ".join(column.name for column in report.columns)
        raise UserError(
            error.title, f"{error.cause} The columns of {report.filename} are: {names}.", f"Set `columns`. {MANUAL}"
        ) from error
    return roles


def _check_columns(roles: Mapping[str, str], report: ImportReport, path: Path) -> None:
    names = [column.name for column in report.columns]
    for role, column in roles.items():
        if column not in names:
            raise UserError(
                "A column is missing.",
                f"{path.name} has no column {column!r} (for {role}). Its columns are: {', '.join(names)}.",
                "Correct `columns`, or `read` where the file was read in the wrong way.",
            )


# -- model and plan ----------------------------------------------------------------------------------------------------


def _choose_model(journey: Journey, folder: Path, watch: Watch) -> None:
    began = watch.now()
    key = _model_key(journey, folder, watch)
    journey.project = projects.update(journey.project.id, base_model_key=key)
    watch.step("model", began)


def _model_key(journey: Journey, folder: Path, watch: Watch) -> str:
    """The starter, a model folder, or one of the hub, which is fetched once and then used again."""
    said = journey.job.model
    watch.show("Base model", said)
    if said == models.STARTER_KEY:
        models.starter()
        return said
    path = folder / Path(said).expanduser()
    if path.is_dir() or said.startswith((".", "/", "~")):
        return models.add_folder(str(path)).key
    name, _, revision = said.partition("@")
    for facts in models.all_models():
        if facts.key == said or (facts.source == "hub" and facts.title == name and facts.revision.startswith(revision)):
            return facts.key
    token = os.environ.get("HF_TOKEN", "")
    journey.jobs["model"] = fetching.submit(journey.project.id, name, revision or "main", token)
    done = watch.wait("Base model", journey.jobs["model"])
    return str((done.result or {})["base_model_key"])


def _prepare(journey: Journey, watch: Watch) -> None:
    began, project = watch.now(), journey.project
    watch.show("Preparation", "Measuring lengths and splitting")
    plan = journey.job.preparation
    if len(journey.job.data.parts) > 1:
        split = plan.split.model_copy(update={"strategy": "given", "column": datasets.PART})
        plan = plan.model_copy(update={"split": split})
    if "max_length" not in plan.model_fields_set:
        plan = plan.model_copy(update={"max_length": tokens.lengths(project, plan).suggested})
    journey.plan = preparation.save(project, plan)
    watch.step("prepare", began)


# -- training and what follows -----------------------------------------------------------------------------------------


def recipe_of(journey: Journey) -> Recipe:
    """The preset for this model and data, with the job's changes. Raises UserError where they do not go together."""
    asked = journey.job.recipe
    chosen = recipes.for_project(journey.project, asked.preset)
    try:
        return Recipe.model_validate({**chosen.model_dump(), **asked.overrides})
    except ValidationError as error:
        cause = "; ".join(str(one["msg"]).removeprefix("Value error, ") for one in error.errors())
        raise UserError(
            "The recipe's settings do not go together.",
            f"With the preset {asked.preset}: {cause}.",
            f"Change `recipe`. {MANUAL}",
        ) from error


def _train(journey: Journey, watch: Watch) -> None:
    began = watch.now()
    run = runs.start(journey.project.id, recipe_of(journey))
    assert run.job_id is not None
    journey.jobs["train"] = run.job_id
    watch.wait("Training", run.job_id)
    journey.run = runs.get(run.id)
    watch.step("train", began)


def _follow(
    journey: Journey,
    watch: Watch,
    title: str,
    step: str,
    submit: Callable[[Run], str],
    of_run: Callable[[str], list[Kept]],
) -> Kept:
    """One step after the training: queue its job, wait for it, and return the newest row that it left."""
    assert journey.run is not None  # JobFile refuses steps after a training without it
    began = watch.now()
    journey.jobs[step] = submit(journey.run)
    watch.wait(title, journey.jobs[step])
    watch.step(step, began)
    return of_run(journey.run.id)[0]
