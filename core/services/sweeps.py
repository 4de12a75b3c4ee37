"""Sweeps: start one, take its next step, stop it, read what it found. All state is in the rows of its study and runs."""

from __future__ import annotations

from dataclasses import dataclass

from core import methods
from core.data import search
from core.schemas.errors import UserError
from core.schemas.jobs import Desired, Job, JobKind, JobState
from core.schemas.recipe import Recipe
from core.schemas.studies import Outcome, Search, SweepPlan, TrialState
from core.store import jobs, records
from core.store.engine import write
from core.store.tables import Project, Study, Trial, new_id

from . import runs, studies

KIND = "sweep"
FAILURES = 3  # in a row, after which going on makes no sense
BEGIN = 0.25  # of a run's evaluations, before which it is not judged


@dataclass(frozen=True)
class Step:
    """How far a sweep is: `done` of `total` rounds, in words, and whether it has ended."""

    words: str
    done: int
    total: int
    ended: bool = False


def searchable(recipe: Recipe) -> list[str]:
    """The settings that can be searched with this recipe: the rank means nothing without an adapter."""
    adapter = methods.get(recipe.method).adapter
    return [name for name in search.searchable() if adapter or name != "lora_rank"]


def start(project: Project, recipe: Recipe, plan: SweepPlan) -> Study:
    """Queue a sweep with its first run. Raises UserError where nothing is searched or a training cannot start."""
    if not plan.search:
        raise UserError("Nothing is chosen to be tried.", "A sweep changes at least one setting.", "Choose a setting.")
    if running(project.id):
        raise UserError(
            "A sweep of this project is at work.", "Two would wait for one another.", "Stop it, or wait for its end."
        )
    for one in plan.search:
        _check_range(one)
    values = search.propose(plan, recipe, [], higher=recipe.higher_is_better)
    assert values is not None  # nothing was tried yet
    study = Study(
        id=new_id(),
        project_id=project.id,
        kind=KIND,
        recipe=recipe.model_dump(mode="json"),
        config=plan.model_dump(mode="json"),
    )
    with write():
        study.job_id = jobs.submit(JobKind.SWEEP, project.id, {"study_id": study.id})
        studies.begin(project, recipe, study, values)
    return study


def _check_range(one: Search) -> None:
    least, most = search.bounds(one.name)
    if one.low < least or one.high > most:
        title = Recipe.model_fields[one.name].title
        raise UserError(
            f"The range of {str(title).lower()} goes too far.",
            f"It may be {least:g} to {most:g}, and {one.low:g} to {one.high:g} was asked for.",
            "Choose a range within these bounds.",
        )


def plan_of(study: Study) -> SweepPlan:
    return SweepPlan.model_validate(study.config)


def job_of(study: Study) -> Job | None:
    return jobs.get(study.job_id) if study.job_id else None


def running(project_id: str) -> list[Study]:
    return [s for s in studies.of_project(project_id, KIND) if (job := job_of(s)) is not None and not job.state.final]


def stop(study: Study) -> None:
    """End it; the rounds that were made are kept."""
    with write():
        if study.job_id:
            jobs.wish(study.job_id, Desired.CANCEL)
        studies.stop_open(study)


def advance(study_id: str) -> Step:
    """Do what is to be done now: settle the open trial, stop it where it is poor, or begin the next one.

    Called by the worker about once a second. Each call is whole in itself, so that a kill between two of them, or within one,
    loses nothing. Raises UserError where three rounds in a row failed.
    """
    study = studies.get(study_id)
    if study is None:
        return Step("Its project was deleted", 0, 0, ended=True)
    plan, found = plan_of(study), studies.looks(study)
    for look in found:
        if look.trial.outcome is None and look.outcome is not None:
            records.change(Trial, look.trial.id, {"outcome": look.outcome.model_dump(mode="json")})
    settled = [x for x in found if x.outcome is not None]
    if len(settled) < len(found):
        look = next(x for x in found if x.outcome is None)
        stopped = plan.prune and look.state is JobState.RUNNING and _prune(study, plan, look, found)
        words = {JobState.QUEUED: "waits", JobState.PAUSED: "is paused"}.get(look.state, "is at work")
        words = "was stopped early" if stopped else words
        return Step(f"Round {look.run.number} {words}", len(settled), plan.runs)
    _give_up_where_all_fail(settled)
    number = len(found) + 1
    if reason := _spent(plan, settled):
        return Step(reason, len(settled), plan.runs, ended=True)
    recipe = Recipe.model_validate(study.recipe)
    values = search.propose(plan, recipe, studies.tried(found), higher=recipe.higher_is_better)
    if values is None:
        return Step("Everything in these ranges was tried", len(settled), plan.runs, ended=True)
    run = studies.add(study, number, values, found[0].run)
    return Step(f"Round {run.number} waits", len(settled), plan.runs)


def _prune(study: Study, plan: SweepPlan, look: studies.Look, found: list[studies.Look]) -> bool:
    """Stop the run at work where it is poor; the trial is settled in the same transaction."""
    recipe, so_far = Recipe.model_validate(look.run.recipe), studies.evaluations(look.run)
    begin = max(2, round(BEGIN * recipe.epochs * recipe.evaluations_per_epoch))
    higher = recipe.higher_is_better
    if not search.is_poor(plan, studies.tried(found), so_far, higher=higher, begin=begin):
        return False
    best = (max if higher else min)(so_far.values())
    outcome = Outcome(state=TrialState.PRUNED, score=best, evaluations=so_far, seconds=studies.seconds_so_far(look.run))
    with write():
        records.change(Trial, look.trial.id, {"outcome": outcome.model_dump(mode="json")})
        runs.wish(look.run, Desired.STOP)
    return True


def _spent(plan: SweepPlan, settled: list[studies.Look]) -> str:
    if len(settled) >= plan.runs:
        return "All rounds are done"
    seconds = sum(x.outcome.seconds for x in settled if x.outcome)
    return "The time is used up" if plan.minutes and seconds >= 60 * plan.minutes else ""


def _give_up_where_all_fail(settled: list[studies.Look]) -> None:
    last = [x.outcome for x in settled[-FAILURES:] if x.outcome]
    if len(last) == FAILURES and all(o.state is TrialState.FAILED for o in last):
        raise UserError(
            "The sweep ended: three rounds in a row failed.",
            f"The last one said: {last[-1].reason or 'nothing'}",
            "Open that round to see why. Narrower ranges may help: a lower highest learning rate or a smaller batch size.",
        )


def importances(study: Study, found: list[studies.Look]) -> dict[str, float]:
    """The share of each setting in the differences between the finished rounds; empty where there are too few."""
    return search.importances(plan_of(study), studies.tried(found), higher=studies.higher_is_better(study))
