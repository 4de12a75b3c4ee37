"""Runs: start a training, say what is wanted of it, and read what happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.schemas.errors import UserError
from core.schemas.examples import Example
from core.schemas.families import FAMILIES, unfit
from core.schemas.jobs import Desired, Job, JobKind, JobState
from core.schemas.plan import PreparationPlan
from core.schemas.recipe import Recipe
from core.schemas.terms import TermSpec
from core.schemas.training import TrainingSpec
from core.store import curves, jobs, records, token_caches
from core.store.curves import Bucket
from core.store.engine import write
from core.store.files import job_log, run_folder
from core.store.tables import Plan, Project, Run, RunEvent, new_id
from core.tasks import registry as tasks

from . import datasets, models, preparation, projects, recipes, starting, terms
from .names import memorable

FEWEST_RATED = 2  # rated answers that a batch needs at least


def missing(project: Project) -> list[tuple[str, str]]:
    """What a training still needs, as (what, step key of the screen that gives it). Empty when it can start."""
    needs = []
    if not project.task or not project.dataset_version_id:
        needs.append(("a dataset", "dataset"))
    if not project.base_model_key:
        needs.append(("a base model", "model"))
    if not needs and preparation.current(project) is None:
        needs.append(("a preparation plan (the split)", "tokens"))
    return needs


def start(project_id: str, recipe: Recipe, note: str = "", parent_id: str | None = None, priority: int = 0) -> Run:
    """Freeze the recipe and put a training into the queue. Raises UserError that names what is missing."""
    project = projects.get(project_id)
    if needs := missing(project):
        raise UserError(
            "The training cannot start yet.",
            "It needs " + " and ".join(what for what, _ in needs) + ".",
            "Go to the step that is named, then come back.",
        )
    plan = preparation.current(project)
    assert plan is not None and project.task is not None
    _check_model(project.base_model_key, project.task)
    _check_classes(plan, project.task)
    rated = tasks()[project.task].preference and not datasets.get_version(plan.dataset_version_id).roles.get("rejected")
    recipes.check(recipe, project.task, rated=rated)
    if rated:
        _check_batch(recipe)
    run_id, begins = new_id(), starting.chosen(project)
    run = Run(
        id=run_id,
        project_id=project.id,
        name=memorable(run_id),
        parent_id=parent_id or (begins.id if begins else None),
        start_run_id=begins.id if begins else None,
        dataset_version_id=plan.dataset_version_id,
        plan_id=plan.id,
        base_model_key=project.base_model_key,
        task=project.task,
        recipe=recipe.model_dump(mode="json"),
        note=note,
    )
    with write():  # a run without its job would wait for ever
        submit(run, JobKind.TRAIN, priority=priority)
        projects.update(project.id)
    return get(run_id)


def extend(run: Run, epochs: float) -> Run:
    """Train a finished run on for some more epochs, as a new round that begins at its newest checkpoint.

    Data, split, model and settings are those of the run; its curves are copied, so that the new round shows them whole.
    """
    if not run.summary:
        raise UserError(
            "This run is not finished.", "It left no model to go on from.", "Wait for its end, or resume it."
        )
    recipe = Recipe.model_validate(run.recipe)
    recipe = Recipe.model_validate({**recipe.model_dump(), "epochs": recipe.epochs + epochs})
    if not any(run_folder(run.id).glob("checkpoints/checkpoint-*")):
        raise UserError(
            "The checkpoints of this round were removed.",
            "There is nothing left to train on from: a checkpoint holds what the training itself needs, and the model is only a "
            "part of it.",
            "Begin a new round at this model, or train this one again with more epochs.",
        )
    longer = successor(run, f"{run.name}, {epochs:g} epochs more", recipe=recipe)
    with write():
        submit(longer, JobKind.TRAIN, extends=run.id)
        curves.copy(run.id, longer.id)
    return get(longer.id)


def successor(
    run: Run, note: str, *, recipe: Recipe | None = None, plan: Plan | None = None, term: TermSpec | None = None
) -> Run:
    """A new round after this one, not yet kept: the same but for what is given. A plan brings its dataset version, a corrective
    action its term, beside those of the run."""
    run_id = new_id()
    return Run(
        id=run_id,
        project_id=run.project_id,
        name=memorable(run_id),
        parent_id=run.id,
        start_run_id=run.start_run_id,
        dataset_version_id=plan.dataset_version_id if plan else run.dataset_version_id,
        plan_id=plan.id if plan else run.plan_id,
        base_model_key=run.base_model_key,
        task=run.task,
        recipe=(recipe or Recipe.model_validate(run.recipe)).model_dump(mode="json"),
        terms=terms.joined(run, term),
        note=note,
    )


def submit(run: Run, kind: JobKind, *, priority: int = 0, **payload: str) -> None:
    """Keep a new run and queue the job that trains it, both or neither."""
    with write():
        records.add_numbered(run)
        job_id = jobs.submit(kind, run.project_id, {"run_id": run.id, **payload}, priority)
        records.change(Run, run.id, {"job_id": job_id})


def _check_model(key: str | None, task: str) -> None:
    facts = models.get(key)
    if reason := unfit(tasks()[task].family, writes=facts.causal, pairs=facts.encoder_decoder):
        raise UserError("This base model does not fit the task.", reason, "Choose another base model, or another task.")


def _check_classes(plan: Plan, task: str) -> None:
    family = tasks()[task].family
    if family == "regression":
        if len({e.value for e in preparation.parts(plan, task)["train"]}) < 2:
            raise UserError(
                "All numbers are the same.",
                "Every training row has the same number: there is nothing to tell apart.",
                "Check that the right column is chosen as the number.",
            )
        return
    if not FAMILIES[family].labels:
        return
    names = preparation.labels(plan, task)
    if family == "multi-label":
        if not names:
            raise UserError(
                "There are no labels.",
                "No row has a label, so there is nothing to learn.",
                "Check which column holds the labels and how they are written.",
            )
        return
    if len(names) < 2:
        raise UserError(
            "There is only one category.",
            f"Every row has the label {names[0] if names else '(none)'!r}: there is nothing to tell apart.",
            "Add examples of at least one other category.",
        )


def _check_batch(recipe: Recipe) -> None:
    if recipe.batch_size < FEWEST_RATED:
        raise UserError(
            "The batch is too small for thumbs.",
            "A rated answer is weighed against the other answers of its batch, and a batch of one row has none.",
            f"Set the batch size to {FEWEST_RATED} or more.",
        )


def get(run_id: str) -> Run:
    run = records.get(Run, run_id)
    if run is None:
        raise UserError("This run does not exist.", "It was deleted with its project.", "Open another one.")
    return run


def of_project(project_id: str) -> list[Run]:
    """Newest first."""
    return records.find(Run, project_id=project_id)


def finished(project_id: str) -> list[Run]:
    """Runs that left a model, newest first."""
    return [r for r in of_project(project_id) if r.summary]


def job_of(run: Run) -> Job | None:
    return jobs.get(run.job_id) if run.job_id else None


def wish(run: Run, desired: Desired) -> None:
    """Pause, resume (RUN), stop and keep, or cancel."""
    if run.job_id:
        jobs.wish(run.job_id, desired)


def try_again(run: Run) -> None:
    """Put a failed run back into the queue; it goes on from its newest whole checkpoint."""
    if run.job_id:
        jobs.retry(run.job_id)


def curve(run_id: str, name: str, split: str, most: int = 1000) -> list[Bucket]:
    return curves.series(run_id, name, split, most)


def latest(run_id: str) -> dict[tuple[str, str], tuple[int, float | None]]:
    return curves.latest(run_id)


def points(run_id: str, wanted: list[tuple[str, str]]) -> list[curves.Point]:
    return curves.points(run_id, wanted)


@dataclass(frozen=True)
class KeptCheckpoint:
    """A whole checkpoint on the disk; `metric` is the validation figure by which the best is chosen."""

    step: int
    metric: float | None
    bytes: int
    pinned: bool


def checkpoints(run_id: str) -> list[KeptCheckpoint]:
    """Newest first."""
    out = []
    for row in curves.checkpoints(run_id):
        place = run_folder(run_id) / row.folder
        size = sum(file.stat().st_size for file in place.iterdir()) if place.is_dir() else 0
        out.append(KeptCheckpoint(row.step, row.metric, size, row.pinned))
    return out


def pin(run_id: str, step: int, pinned: bool) -> None:
    """Keep a checkpoint whatever the settings say, or no longer."""
    curves.pin(run_id, step, pinned)


def events(run_id: str) -> list[RunEvent]:
    return curves.events(run_id)


def log_tail(job_id: str, characters: int = 20_000) -> str:
    """The end of the job's log."""
    path = job_log(job_id)
    if not path.exists():
        return ""
    with open(path, "rb") as stream:
        stream.seek(0, 2)
        stream.seek(max(0, stream.tell() - characters))
        return stream.read().decode("utf-8", "replace")


@dataclass(frozen=True)
class Inputs:
    """What training, evaluation and audits of a run work on. `base_folder` holds the model that it is compared with,
    `start_folder` the one that it began with where that is another run's."""

    plan: PreparationPlan
    parts: dict[str, list[Example]]
    labels: tuple[str, ...]
    family: str
    base_folder: str
    folder: str
    project_id: str
    start_folder: str = ""


def inputs(run: Run) -> Inputs:
    """Load the frozen inputs of a run."""
    given = inputs_of(preparation.get_plan(run.plan_id), run.task, run.base_model_key, str(run_folder(run.id)))
    if not run.start_run_id:
        return given
    return replace(given, start_folder=str(starting.folder_of(run)), base_folder=compared_with(run))


def compared_with(run: Run) -> str:
    """The folder of the model that a run is compared with: the base model, or the round that it began with."""
    # A model with a head writes nothing: what labels look like to the untouched one stays the comparison.
    if run.start_run_id and not FAMILIES[tasks()[run.task].family].reads:
        return str(starting.folder_of(run))
    return models.get(run.base_model_key).folder


def inputs_of(plan: Plan, task: str, base_model_key: str | None, folder: str = "") -> Inputs:
    """The same for a plan that no run has frozen yet."""
    family = tasks()[task].family
    return Inputs(
        plan=PreparationPlan.model_validate(plan.config),
        parts={str(k): v for k, v in preparation.parts(plan, task).items()},
        labels=preparation.labels(plan, task) if FAMILIES[family].labels else (),
        family=family,
        base_folder=models.get(base_model_key).folder,
        folder=folder,
        project_id=plan.project_id,
    )


def training_spec(run: Run, resume_from: str | None) -> TrainingSpec:
    """The torch side's view of a run."""
    spec = spec_of(inputs(run), run.id, Recipe.model_validate(run.recipe), resume_from)
    return spec.model_copy(update={"terms": terms.of_run(run)})


def spec_of(given: Inputs, run_id: str, recipe: Recipe, resume_from: str | None = None) -> TrainingSpec:
    """The torch side's view of these inputs, trained by this recipe."""
    return TrainingSpec(
        run_id=run_id,
        family=given.family,
        folder=given.folder,
        base_folder=given.start_folder or given.base_folder,
        plan=given.plan,
        recipe=recipe,
        labels=given.labels,
        train=tuple(given.parts["train"]),
        validation=tuple(given.parts["validation"]),
        resume_from=resume_from,
        token_cache=str(token_caches.of_project(given.project_id)),
    )


def store_summary(run_id: str, summary: Mapping[str, Any]) -> None:
    """Called by the worker when the model folder is whole."""
    best = {"step": summary["best_step"], "metric": summary["best_metric"], "value": summary["best_value"]}
    records.change(Run, run_id, {"summary": dict(summary), "best": best})


def test_set_lineage(run: Run) -> int:
    return datasets.get_version(run.dataset_version_id).lineage


def state(run: Run) -> JobState:
    job = job_of(run)
    return job.state if job else JobState.STOPPED
