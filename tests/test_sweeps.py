"""Sweeps: what is proposed, what is stopped early, and that neither a crash nor a stop loses what was done."""

from __future__ import annotations

import math
from typing import Any

import pytest
import studying

from core.data import search
from core.schemas.errors import UserError
from core.schemas.jobs import Desired, JobKind, JobState
from core.schemas.recipe import Recipe
from core.schemas.recorder import Interrupted
from core.schemas.studies import Outcome, Search, SweepPlan, TrialState, Tried
from core.services import projects, runs, studies, sweeps
from core.store import jobs, records
from core.store.tables import Evaluation, Project, Study
from core.worker.handlers import sweep_job, train_job
from core.worker.recorder import JobRecorder

RECIPE = Recipe(
    method="full", learning_rate=2e-4, batch_size=8, epochs=2, evaluations_per_epoch=2, early_stopping=0, warmup=0,
    best_metric="eval_loss",
)  # fmt: skip
RATE = Search(name="learning_rate", scale="log", low=1e-5, high=1e-1)
BATCH = Search(name="batch_size", scale="doubling", low=4, high=32)
PLAN = SweepPlan(search=(RATE, BATCH), runs=8, prune=False)


def bowl(recipe: Recipe) -> float:
    """Best at a learning rate of 5e-3; the batch size hardly matters."""
    return math.log10(recipe.learning_rate / 5e-3) ** 2 + 0.01 * math.log2(recipe.batch_size)


def driven(project: Project, plan: SweepPlan, score: Any = bowl, until: int = 1000) -> Study:
    """A sweep with its runs done at once, to its end or for so many steps."""
    study = sweeps.start(project, RECIPE, plan)
    carry_on(study, score, until)
    jobs.wish(study.job_id or "", Desired.CANCEL)  # nobody claimed it: the test did its work
    return study


def carry_on(study: Study, score: Any = bowl, until: int = 1000) -> None:
    for _ in range(until):
        studying.work(score)
        if sweeps.advance(study.id).ended:
            return


def tried_of(study: Study) -> list[dict[str, Any]]:
    return [look.trial.values for look in studies.looks(study)]


# -- the search --------------------------------------------------------------------------------------------------------


def test_every_searchable_setting_has_a_range_around_the_recipe_that_the_recipe_accepts() -> None:
    assert set(search.searchable()) == {"learning_rate", "lora_rank", "epochs", "batch_size", "weight_decay"}
    for recipe in (
        Recipe(),
        Recipe(learning_rate=0.9, batch_size=1, epochs=1, weight_decay=0.5, lora_rank=1, lora_alpha=2),
    ):
        for name in search.searchable():
            one = search.around(recipe, name)
            for end in (one.low, one.high):
                value: Any = int(end) if one.scale == "doubling" else end
                search.applied(recipe, {name: value})


def test_values_are_in_range_short_and_of_their_kind() -> None:
    plan = SweepPlan(
        search=(RATE, BATCH, Search(name="epochs", scale="whole", low=1, high=4),
                Search(name="weight_decay", scale="linear", low=0, high=0.1)), runs=20
    )  # fmt: skip
    seen: list[Tried] = []
    for n in range(20):
        values = search.propose(plan, RECIPE, seen, higher=False)
        assert values is not None
        assert 1e-5 <= values["learning_rate"] <= 1e-1
        assert float(f"{values['learning_rate']:.2g}") == values["learning_rate"]
        assert values["batch_size"] in (4, 8, 16, 32)
        assert values["epochs"] in (1, 2, 3, 4)
        search.applied(RECIPE, values)
        seen.append(Tried(values=values, outcome=Outcome(state=TrialState.DONE, score=1 / (n + 1))))


def test_the_first_try_is_the_recipe_itself_and_none_is_made_twice() -> None:
    small = SweepPlan(search=(BATCH,), runs=10)
    seen: list[Tried] = []
    while values := search.propose(small, RECIPE, seen, higher=False):
        seen.append(Tried(values=values, outcome=Outcome(state=TrialState.DONE, score=1.0)))
    assert seen[0].values == {"batch_size": 8}
    assert sorted(t.values["batch_size"] for t in seen) == [4, 8, 16, 32]


def test_the_strength_of_an_adapter_stays_the_same_when_its_rank_is_searched() -> None:
    changed = search.applied(Recipe(lora_rank=16, lora_alpha=32), {"lora_rank": 4})
    assert (changed.lora_rank, changed.lora_alpha) == (4, 8)


@pytest.mark.parametrize("higher", [False, True])
def test_the_search_learns_from_what_was_tried(higher: bool) -> None:
    plan, seen = SweepPlan(search=(RATE,), runs=25, seed=3), []
    for _ in range(25):
        values = search.propose(plan, RECIPE, seen, higher=higher)
        assert values is not None
        score = bowl(search.applied(RECIPE, values)) * (-1 if higher else 1)
        seen.append(Tried(values=values, outcome=Outcome(state=TrialState.DONE, score=score)))
    off = [abs(math.log10(t.values["learning_rate"] / 5e-3)) for t in seen]
    assert sum(off[15:]) / 10 < 0.6 * sum(off[:10]) / 10, "later tries lie nearer to the best rate than the first ones"


def test_a_run_is_called_poor_only_beyond_the_median_and_not_too_soon() -> None:
    before = [
        Tried(
            values={"learning_rate": 1e-3 * n, "batch_size": 8},
            outcome=Outcome(state=TrialState.DONE, score=0.5 + n, evaluations={1: 3.0 + n, 2: 1.0 + n, 3: 0.5 + n}),
        )
        for n in range(1, 4)
    ]

    def poor(evaluations: dict[int, float], trials: list[Tried] = before, higher: bool = False) -> bool:
        return search.is_poor(PLAN, trials, evaluations, higher=higher, begin=2)

    assert not poor({}), "nothing is known of it"
    assert not poor({1: 99.0}), "it has only begun"
    assert poor({1: 4.0, 2: 3.5})
    assert not poor({1: 4.0, 2: 2.5})
    assert not poor({1: 4.0, 2: 3.5}, before[:2]), "two trials are no measure"
    assert poor({1: 1.0, 2: 2.0}, higher=True)


def test_what_mattered_is_found_and_is_not_told_from_few_rounds(small_project: Project) -> None:
    study = driven(small_project, PLAN.model_copy(update={"runs": 12}))
    found = studies.looks(study)
    shares = sweeps.importances(study, found)
    assert next(iter(shares)) == "learning_rate" and shares["learning_rate"] > 0.8
    assert sum(shares.values()) == pytest.approx(1)
    assert sweeps.importances(study, found[:5]) == {}


# -- the sweep ---------------------------------------------------------------------------------------------------------


def test_a_sweep_does_its_rounds_on_validation_alone_and_finds_the_best(small_project: Project) -> None:
    study = driven(small_project, PLAN)
    found = studies.looks(study)
    assert len(found) == 8
    assert {look.outcome.state for look in found if look.outcome} == {TrialState.DONE}
    best = studies.best(study, found)
    assert best is not None and best.outcome is not None
    assert best.outcome.score == min(look.outcome.score for look in found if look.outcome)  # type: ignore[type-var]
    assert [r.number for r in reversed(runs.of_project(small_project.id))] == list(range(1, 9)), (
        "each is a normal round"
    )
    assert records.count(Evaluation, project_id=small_project.id) == 0, "the test set stays locked"


def test_the_same_seed_proposes_the_same_and_a_restart_changes_nothing(small_project: Project) -> None:
    """The second sweep goes on in a new process as it were, after each of its rounds: nothing lives outside of the rows."""
    whole = tried_of(driven(small_project, PLAN))
    broken = sweeps.start(small_project, RECIPE, PLAN)
    while True:
        studying.work(bowl)
        claimed = jobs.claim([JobKind.SWEEP], "me")
        assert claimed is not None
        recorder = JobRecorder(claimed[0].id, claimed[1], None, lost=lambda: None)

        def killed(_: float, recorder: JobRecorder = recorder) -> None:
            recorder.shut_down()

        try:
            result = sweep_job.run(claimed[0], recorder, pause=killed)
        except Interrupted:
            jobs.finish(claimed[0].id, claimed[1], JobState.QUEUED)
        else:
            jobs.finish(claimed[0].id, claimed[1], JobState.DONE, result)
            break
    assert tried_of(broken) == whole
    other = driven(small_project, PLAN.model_copy(update={"seed": 99}))
    assert tried_of(other) != whole


def test_data_and_model_stay_those_of_the_first_round(small_project: Project) -> None:
    study = sweeps.start(small_project, RECIPE, PLAN)
    projects.update(small_project.id, base_model_key="another", dataset_version_id=None)
    carry_on(study)
    assert len({(x.run.base_model_key, x.run.plan_id, x.run.dataset_version_id) for x in studies.looks(study)}) == 1


def test_a_poor_round_is_stopped_by_the_ordinary_stop_and_the_next_one_begins(small_project: Project) -> None:
    study = sweeps.start(small_project, RECIPE, PLAN.model_copy(update={"prune": True}))
    carry_on(study, until=3)
    taken = studying.take()
    assert taken is not None
    run, fence = taken
    studying.evaluated(run, [50.0])
    sweeps.advance(study.id)
    assert studying.wanted(run) is Desired.RUN, "one evaluation is too soon"
    studying.evaluated(run, [50.0], first=2)
    assert "stopped early" in sweeps.advance(study.id).words
    assert studying.wanted(run) is Desired.STOP
    studying.finish(run, fence, 50.0, ended="stopped")
    sweeps.advance(study.id)
    found = studies.looks(study)
    assert len(found) == 5
    pruned = found[3].outcome
    assert pruned is not None
    assert (pruned.state, pruned.score, pruned.evaluations) == (TrialState.PRUNED, 50.0, {1: 50.0, 2: 50.0})
    assert studies.best(study, found) is not found[3]


def test_the_time_is_a_limit_too(small_project: Project) -> None:
    study = driven(small_project, PLAN.model_copy(update={"minutes": 3}))
    assert len(studies.looks(study)) == 3, "each round took a minute"


def test_stopping_keeps_what_is_done_and_takes_the_rest_out(small_project: Project) -> None:
    study = sweeps.start(small_project, RECIPE, PLAN)
    carry_on(study, until=3)
    sweeps.stop(study)
    found = studies.looks(study)
    assert [x.outcome.state for x in found if x.outcome] == [TrialState.DONE] * 3 + [TrialState.STOPPED]
    assert studies.best(study, found) is not None
    assert studying.take() is None, "nothing waits any more"
    assert sweeps.running(small_project.id) == []


def test_the_worker_that_sees_the_stop_ends_the_round_at_work(small_project: Project) -> None:
    study = sweeps.start(small_project, RECIPE, PLAN)
    taken = studying.take()
    claimed = jobs.claim([JobKind.SWEEP], "me")
    assert taken is not None and claimed is not None
    jobs.wish(claimed[0].id, Desired.CANCEL)
    recorder = JobRecorder(claimed[0].id, claimed[1], None, lost=lambda: None)
    recorder.flush()
    assert sweep_job.run(claimed[0], recorder)["ended"] == "Stopped by you"
    assert studying.wanted(taken[0]) is Desired.STOP
    assert len(studies.looks(study)) == 1


def test_failed_rounds_are_avoided_and_three_in_a_row_end_the_sweep(small_project: Project) -> None:
    study = sweeps.start(small_project, RECIPE, PLAN)
    for n in range(3):
        taken = studying.take()
        assert taken is not None, n
        studying.fail(*taken)
        if n < 2:
            sweeps.advance(study.id)
    with pytest.raises(UserError, match="three rounds in a row"):
        sweeps.advance(study.id)
    assert [x.outcome.state for x in studies.looks(study) if x.outcome] == [TrialState.FAILED] * 3


def test_what_a_person_starts_comes_before_the_rounds_of_a_sweep(small_project: Project) -> None:
    study = sweeps.start(small_project, RECIPE, PLAN)
    own = runs.start(small_project.id, RECIPE)
    taken = studying.take()
    assert taken is not None and taken[0].id == own.id
    assert len(studies.looks(study)) == 1


def test_a_second_sweep_and_impossible_ranges_are_refused(small_project: Project) -> None:
    with pytest.raises(UserError, match="Nothing is chosen"):
        sweeps.start(small_project, RECIPE, SweepPlan())
    wide = SweepPlan(search=(Search(name="learning_rate", scale="log", low=1e-5, high=5),))
    with pytest.raises(UserError, match="goes too far"):
        sweeps.start(small_project, RECIPE, wide)
    sweeps.start(small_project, RECIPE, PLAN)
    with pytest.raises(UserError, match="at work"):
        sweeps.start(small_project, RECIPE, PLAN)


@pytest.mark.usefixtures("one_thread")
def test_a_real_sweep_trains_real_rounds(small_project: Project) -> None:
    plan = SweepPlan(search=(Search(name="learning_rate", scale="log", low=1e-5, high=1e-2),), runs=3)
    study = sweeps.start(small_project, RECIPE.model_copy(update={"learning_rate": 3e-3}), plan)
    for _ in range(10):
        if (claimed := jobs.claim([JobKind.TRAIN], "me")) is not None:
            recorder = JobRecorder(claimed[0].id, claimed[1], str(claimed[0].payload["run_id"]), lost=lambda: None)
            result = train_job.run(claimed[0], recorder)
            recorder.flush()
            jobs.finish(claimed[0].id, claimed[1], JobState.DONE, result)
        if sweeps.advance(study.id).ended:
            break
    found = studies.looks(study)
    assert len(found) == 3
    for look in found:
        assert look.outcome is not None and look.outcome.score is not None
        assert sorted(look.outcome.evaluations) == [1, 2, 3, 4]
        assert min(look.outcome.evaluations.values()) == pytest.approx(look.outcome.score)
    best = studies.best(study, found)
    assert best is not None and best.trial.values["learning_rate"] > 1e-4, "tiny rates learn nothing in 2 epochs"
