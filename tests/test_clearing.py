"""A finished sweep or repeat keeps the checkpoints of its best run and as many others as its disk space allows."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import studying
from test_sweeps import PLAN, RECIPE, bowl, driven

from core.schemas.errors import UserError
from core.schemas.jobs import JobKind, JobState
from core.schemas.recipe import Recipe
from core.schemas.studies import Outcome, TrialState
from core.services import runs, seeds, studies, sweeps, timeline
from core.store import curves, jobs, records
from core.store.engine import write
from core.store.files import run_folder
from core.store.tables import Checkpoint, Project, Run, Study, Trial
from core.worker.handlers import sweep_job, train_job
from core.worker.recorder import JobRecorder

SIZE = 1000  # bytes of a checkpoint
GB = 10**9


def saved(run: Run, *steps: int) -> None:
    """Give the run checkpoints, as a training leaves them, and a model."""
    with write() as session:
        for step in steps:
            folder = run_folder(run.id) / "checkpoints" / f"checkpoint-{step}"
            folder.mkdir(parents=True)
            (folder / "optimizer.pt").write_bytes(bytes(SIZE))
            session.add(
                Checkpoint(run_id=run.id, step=step, folder=f"checkpoints/{folder.name}", metric=1.0, at=time.time())
            )
    model = run_folder(run.id) / "model"
    model.mkdir()
    (model / "model.safetensors").write_bytes(bytes(10))


def swept(project: Project, disk: float) -> tuple[Study, list[studies.Look]]:
    """A sweep of four rounds with two checkpoints each; best first."""
    study = driven(project, PLAN.model_copy(update={"runs": 4, "disk": disk}))
    found = sorted(studies.looks(study), key=lambda x: x.outcome.score if x.outcome and x.outcome.score else 0.0)
    for look in found:
        saved(look.run, 10, 20)
    return study, found


def left(look: studies.Look) -> list[int]:
    """The steps of the checkpoints that are on the disk, which are those on record."""
    on_disk = sorted(int(p.name.split("-")[1]) for p in (run_folder(look.run.id) / "checkpoints").iterdir())
    assert on_disk == sorted(c.step for c in curves.checkpoints(look.run.id))
    return on_disk


def test_the_worst_rounds_go_first_until_the_rest_fits_and_the_best_stays_whatever_it_takes(
    small_project: Project,
) -> None:
    study, found = swept(small_project, disk=5 * SIZE / GB)
    assert studies.clear(study) == 4 * SIZE
    assert [left(look) for look in found] == [[10, 20], [10, 20], [], []]
    assert studies.clear(study) == 0, "the second time there is nothing to do"

    study, found = swept(small_project, disk=0)
    studies.clear(study)
    assert [left(look) for look in found] == [[10, 20], [], [], []]


def test_what_is_pinned_stays_and_a_round_that_lost_its_checkpoints_says_so_and_keeps_the_rest(
    small_project: Project,
) -> None:
    study, found = swept(small_project, disk=0)
    runs.pin(found[3].run.id, 10, True)
    before = curves.points(found[3].run.id, [("loss", "validation")])
    studies.clear(study)
    assert left(found[3]) == [10]
    assert curves.points(found[3].run.id, [("loss", "validation")]) == before
    assert (run_folder(found[3].run.id) / "model" / "model.safetensors").exists()
    (told,) = [e for e in curves.events(found[3].run.id) if e.kind == "cleared"]
    assert told.data == {"steps": [20], "bytes": SIZE} and "not the best" in told.text
    assert "cleared" in {m.kind for m in timeline.moments(found[3].run)}
    assert not [e for e in curves.events(found[0].run.id) if e.kind == "cleared"]


def test_a_round_without_checkpoints_cannot_be_trained_on_and_says_why(small_project: Project) -> None:
    study, found = swept(small_project, disk=0)
    studies.clear(study)
    with pytest.raises(UserError, match="were removed"):
        runs.extend(runs.get(found[1].run.id), 1)
    assert runs.extend(runs.get(found[0].run.id), 1)


def test_nothing_goes_while_a_round_is_under_way(small_project: Project) -> None:
    study = sweeps.start(small_project, RECIPE, PLAN.model_copy(update={"disk": 0}))
    for _ in range(4):
        run = studying.work(bowl)
        if run is not None:
            saved(run, 10)
        sweeps.advance(study.id)
    assert any(look.outcome is None for look in studies.looks(study))
    assert studies.clear(study) == 0


def test_nothing_goes_while_a_round_that_was_stopped_for_being_poor_still_keeps_its_best(
    small_project: Project,
) -> None:
    study = sweeps.start(small_project, RECIPE, PLAN.model_copy(update={"runs": 2, "disk": 0}))
    first = studying.work(bowl)
    assert first is not None
    saved(first, 10)
    sweeps.advance(study.id)
    taken = studying.take()
    assert taken is not None
    saved(taken[0], 10)
    poor = Outcome(state=TrialState.PRUNED, score=99.0, seconds=1.0)
    records.change(Trial, studies.looks(study)[1].trial.id, {"outcome": poor.model_dump(mode="json")})
    assert sweeps.advance(study.id).ended
    assert studies.clear(study) == 0
    studying.finish(*taken, 99.0, "stopped")
    assert studies.clear(study) == SIZE


def test_the_end_of_a_sweep_clears_it(small_project: Project) -> None:
    study = sweeps.start(small_project, RECIPE, PLAN.model_copy(update={"runs": 3, "disk": 0}))

    def work(_: float) -> None:
        run = studying.work(bowl)
        if run is not None:
            saved(run, 10)

    claimed = jobs.claim([JobKind.SWEEP], "me")
    assert claimed is not None
    sweep_job.run(claimed[0], JobRecorder(claimed[0].id, claimed[1], None, lost=lambda: None), pause=work)
    assert sorted(map(len, map(left, studies.looks(study)))) == [0, 0, 1]


@pytest.mark.usefixtures("one_thread")
def test_the_last_of_some_repeats_clears_them_in_a_real_training(
    small_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.services.studies.SweepPlan", lambda: PLAN.model_copy(update={"disk": 0.0}))
    recipe = Recipe(method="full", learning_rate=3e-3, batch_size=8, epochs=1, evaluations_per_epoch=1)
    study = seeds.start(small_project, recipe, 2)
    for _ in range(2):
        claimed = jobs.claim([JobKind.TRAIN], "me")
        assert claimed is not None
        recorder = JobRecorder(claimed[0].id, claimed[1], str(claimed[0].payload["run_id"]), lost=lambda: None)
        result = train_job.run(claimed[0], recorder)
        recorder.flush()
        jobs.finish(claimed[0].id, claimed[1], JobState.DONE, result)
    found = studies.looks(study)
    best = studies.best(study, found)
    assert best is not None
    assert {len(left(look)) > 0 for look in found if look.run.id == best.run.id} == {True}
    assert {len(left(look)) for look in found if look.run.id != best.run.id} == {0}
    assert all((Path(run_folder(look.run.id)) / "model").is_dir() for look in found)
