"""Studies: several runs of the product with one question. Their rows, and what became of each run."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from core.data import search
from core.data.kept import GB, on_disk
from core.schemas.jobs import Desired, JobKind, JobState
from core.schemas.recipe import Recipe
from core.schemas.studies import Outcome, SweepPlan, TrialState, Tried
from core.store import curves, jobs, records
from core.store.engine import write
from core.store.files import run_folder
from core.store.tables import Project, Run, Study, Trial

from . import runs

NOTES = {"sweep": "Try {} of a sweep", "seeds": "Repeat {} with its own seed"}
PRIORITY = -1  # what a person starts by itself comes before the many runs of a study


@dataclass(frozen=True)
class Look:
    """A trial with its run. `outcome` is None while the run waits or is at work; `state` is that of the run's job."""

    trial: Trial
    run: Run
    state: JobState
    outcome: Outcome | None


def get(study_id: str) -> Study | None:
    return records.get(Study, study_id)


def of_project(project_id: str, kind: str) -> list[Study]:
    """Newest first."""
    return records.find(Study, project_id=project_id, kind=kind)


def metric(study: Study) -> str:
    """The validation figure that decides: the best-checkpoint metric of the recipe."""
    return Recipe.model_validate(study.recipe).best_metric


def higher_is_better(study: Study) -> bool:
    return Recipe.model_validate(study.recipe).higher_is_better


def looks(study: Study) -> list[Look]:
    """The trials in their order, each with what became of it."""
    found = sorted(records.find(Trial, study_id=study.id), key=lambda t: t.number)
    out = []
    for trial in found:
        run = runs.get(trial.run_id)
        state = runs.state(run)
        outcome = Outcome.model_validate(trial.outcome) if trial.outcome else _outcome(run, state)
        out.append(Look(trial, run, state, outcome))
    return out


def best(study: Study, found: list[Look]) -> Look | None:
    """The best trial among those that ran to their end."""
    done = [x for x in found if x.outcome and x.outcome.state is TrialState.DONE and x.outcome.score is not None]
    sign = 1 if higher_is_better(study) else -1
    return max(done, key=lambda x: sign * (x.outcome.score or 0.0) if x.outcome else 0.0, default=None)


def tried(found: list[Look]) -> list[Tried]:
    """What a search may know: every trial that has ended."""
    return [Tried(values=x.trial.values, outcome=x.outcome) for x in found if x.outcome is not None]


def evaluations(run: Run) -> dict[int, float]:
    """The validation figure that decides, by the number of the evaluation (the untrained model's, number 0, is left out).

    Counted by epoch and not by step: runs with other batch sizes have other steps but are evaluated as often.
    """
    recipe = Recipe.model_validate(run.recipe)
    name = "loss" if recipe.best_metric == "eval_loss" else recipe.best_metric
    points = runs.points(run.id, [(name, "validation")])
    return {
        max(1, round(p.epoch * recipe.evaluations_per_epoch)): p.value
        for p in points
        if p.step > 0 and p.value is not None
    }


def begin(project: Project, recipe: Recipe, study: Study, values: dict[str, object]) -> Run:
    """Keep a new study with its first run. Freezes data, split and model for all that follow. Raises UserError as a start
    does."""
    with write():
        run = runs.start(project.id, search.applied(recipe, values), NOTES[study.kind].format(1), priority=PRIORITY)
        records.add(study)
        records.add(Trial(study_id=study.id, number=1, run_id=run.id, values=values))
    return run


def add(study: Study, number: int, values: dict[str, object], first: Run) -> Run:
    """One more run of a study, on the data and the model of its first one; trial and run are kept together or not at all."""
    recipe = search.applied(Recipe.model_validate(study.recipe), values)
    with write():
        run = runs.successor(first, NOTES[study.kind].format(number), recipe=recipe)
        run.parent_id = None  # it does not go on from the first one
        runs.submit(run, JobKind.TRAIN, priority=PRIORITY)
        records.add(Trial(study_id=study.id, number=number, run_id=run.id, values=values))
    return run


def clear(study: Study) -> int:
    """Remove checkpoints of a study whose runs have all ended, those of the worst run first, until the others take no more
    than its disk space. Returns the bytes that became free.

    Checkpoints of the best run and pinned ones stay; so do the curves and the model of every run. Each run says what it
    lost. Doing it again changes nothing.
    """
    found = looks(study)
    # One that was stopped for being poor is settled already, and still makes a model of its best checkpoint.
    if any(x.outcome is None or not (x.run.summary or x.state.final) for x in found):
        return 0
    budget = round(GB * float(study.config.get("disk", SweepPlan().disk)))
    kept, sign = best(study, found), 1 if higher_is_better(study) else -1
    total = sum(s.bytes for x in found for s in on_disk(_checkpoints(x.run)))
    freed = 0
    for look in sorted(found, key=lambda x: _rank(x, sign)):
        if total - freed <= budget:
            break
        if kept is None or look.run.id != kept.run.id:
            freed += _clear_run(look.run)
    return freed


def clear_of(run_id: str) -> None:
    """Called when a run has ended: clears the study that it was the last run of, unless a sweep goes on with the next."""
    for trial in records.find(Trial, run_id=run_id):
        study = get(trial.study_id)
        job = jobs.get(study.job_id) if study is not None and study.job_id else None
        if study is not None and (job is None or job.state.final):
            clear(study)


def _rank(look: Look, sign: int) -> tuple[bool, float]:
    score = look.outcome.score if look.outcome else None
    return score is not None, sign * (score or 0.0)


def _checkpoints(run: Run) -> Path:
    return run_folder(run.id) / "checkpoints"


def _clear_run(run: Run) -> int:
    """Remove all checkpoints of an ended run that are not pinned. First from the database: a row must not name what is gone."""
    pinned = {c.step for c in curves.checkpoints(run.id) if c.pinned}
    gone = [s for s in on_disk(_checkpoints(run)) if s.step not in pinned]
    if not gone:
        return 0
    size = sum(s.bytes for s in gone)
    what = "Its model and its curves are" if run.summary else "Its curves are"
    curves.forget_checkpoints(
        run.id,
        [s.step for s in gone],
        title=f"Checkpoints removed to save {size / 1e6:,.0f} MB",
        text=f"This round was one of several of a search or a repeat, and not the best. {what} as they were; it cannot be "
        "trained on any more, but a new round can be.",
        size=size,
    )
    for saved in gone:
        shutil.rmtree(_checkpoints(run) / f"checkpoint-{saved.step}", ignore_errors=True)
    return size


def stop_open(study: Study) -> None:
    """Stop the runs that have not ended: one at work keeps its best checkpoint, a waiting one is taken out of the queue."""
    for look in looks(study):
        if look.outcome is None and not look.state.final:
            runs.wish(look.run, Desired.STOP)


def _outcome(run: Run, state: JobState) -> Outcome | None:
    job = runs.job_of(run)
    if run.summary:
        stopped = run.summary["ended"] == "stopped"
        return Outcome(
            state=TrialState.STOPPED if stopped else TrialState.DONE,
            score=run.summary["best_value"],
            evaluations=evaluations(run),
            seconds=run.summary["seconds"],
        )
    if not state.final:
        return None
    if job is not None and state is JobState.FAILED:
        return Outcome(
            state=TrialState.FAILED, reason=str((job.error or {}).get("title", "")), seconds=seconds_so_far(run)
        )
    return Outcome(state=TrialState.STOPPED, seconds=seconds_so_far(run))


def seconds_so_far(run: Run) -> float:
    """Wall-clock time since the run began, up to its end or to its last sign of life."""
    job = runs.job_of(run)
    if job is None or job.started_at is None:
        return 0.0
    return max(0.0, (job.finished_at or job.heartbeat_at or job.started_at) - job.started_at)
