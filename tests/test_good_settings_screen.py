"""The parts of the screens that try settings and show what waits, drawn with real rows."""

from __future__ import annotations

import math
from typing import Any

import pytest
import studying
from streamlit.testing.v1 import AppTest

from core.data.rate_curve import rates
from core.schemas.jobs import Desired, JobKind, JobState
from core.schemas.recipe import Recipe
from core.schemas.studies import Search, SweepPlan
from core.services import projects, rate_finder, recipes, seeds, studies, sweeps
from core.store import jobs
from core.store.tables import Project, Study

RECIPE = Recipe(
    method="full", learning_rate=2e-4, batch_size=8, epochs=2, evaluations_per_epoch=2, best_metric="eval_loss"
)


def screen(project_id: str, way: str) -> AppTest:
    def script(project_id: str) -> None:
        from core.services import projects, recipes
        from core.ui.good_settings import good_settings
        from core.ui.queue import queue_panel

        project = projects.get(project_id)
        queue_panel(project)
        good_settings(project, recipes.draft(project), f"recipe-{project_id}", True)

    app = AppTest.from_function(script, kwargs={"project_id": project_id}, default_timeout=60)
    app.session_state[f"recipe-{project_id}-way"] = way
    return app.run()


def texts(app: AppTest) -> str:
    kinds: tuple[Any, ...] = (app.markdown, app.caption, app.info, app.warning, app.get("html"))
    return " ".join(str(block.value) for found in kinds for block in found)


def press(app: AppTest, label: str) -> AppTest:
    [button] = [b for b in app.button if b.label == label]
    return button.click().run()


def bowl(recipe: Recipe) -> float:
    return 0.3 + math.log10(recipe.learning_rate / 5e-3) ** 2


@pytest.fixture
def project(small_project: Project) -> Project:
    recipes.keep_draft(small_project, RECIPE)
    return projects.get(small_project.id)


def swept(project: Project, rounds: int) -> Study:
    search = (
        Search(name="learning_rate", scale="log", low=1e-5, high=1e-1),
        Search(name="batch_size", scale="doubling", low=4, high=16),
    )
    study = sweeps.start(project, RECIPE, SweepPlan(search=search, runs=rounds))
    while True:
        studying.work(bowl)
        if sweeps.advance(study.id).ended:
            break
    jobs.wish(study.job_id or "", Desired.CANCEL)
    return study


def test_the_suggested_rate_goes_into_the_form(project: Project) -> None:
    app = press(screen(project.id, "rate"), "Find a learning rate")
    assert not app.exception
    claimed = jobs.claim([JobKind.FIND_RATE], "me")
    assert claimed is not None
    tried = rates()[:115]
    losses = [1.1 - 1 / (1 + (3e-3 / r) ** 2) + (r / 2e-2) ** 2 for r in tried]
    curve = {"rates": tried, "losses": losses, "ended": "diverged"}
    jobs.finish(claimed[0].id, claimed[1], JobState.DONE, curve)
    app = screen(project.id, "rate")
    found = rate_finder.of(project, RECIPE)
    assert found is not None and found.advice.suggestion is not None
    assert found.words in texts(app)
    app = press(app, "Use this learning rate")
    assert not app.exception
    assert recipes.draft(projects.get(project.id)).learning_rate == found.advice.suggestion


def test_a_sweep_is_started_from_the_form_watched_and_stopped(project: Project) -> None:
    app = press(screen(project.id, "sweep"), "Start the sweep")
    assert not app.exception
    [study] = sweeps.running(project.id)
    assert sweeps.plan_of(study).search[0].name == "learning_rate"
    app = press(screen(project.id, "sweep"), "Stop")
    assert not app.exception
    assert sweeps.running(project.id) == []


def test_the_best_settings_are_shown_with_what_mattered_and_go_into_the_form(project: Project) -> None:
    study = swept(project, 8)
    app = screen(project.id, "sweep")
    assert not app.exception
    said = texts(app)
    best = studies.best(study, studies.looks(study))
    assert best is not None
    assert f"Best: round {best.run.number}" in said
    assert "n = 8 finished rounds" in said or "stopped early do not count" in said
    assert "no more than a hint" in said or "What mattered can be told from" in said
    app = press(app, "Use these settings")
    assert not app.exception
    draft = recipes.draft(projects.get(project.id))
    assert draft.learning_rate == best.trial.values["learning_rate"]
    assert draft.batch_size == best.trial.values["batch_size"]


def test_the_spread_is_said_in_words_and_held_against_the_sweep(project: Project) -> None:
    swept(project, 4)
    seeds.start(project, RECIPE, 5)
    while studying.work(lambda recipe: 2 + 5 * (recipe.seed % 3)):
        pass
    app = screen(project.id, "seeds")
    assert not app.exception
    assert "over n = 5 seeds" in texts(app)
    assert "luck of the seed" in texts(app)
    assert "smaller than the luck of the seed" in texts(screen(project.id, "sweep"))


def test_what_waits_can_be_put_first_and_taken_out(project: Project) -> None:
    seeds.start(project, RECIPE, 3)
    first, second, third = [j.id for j in jobs.waiting()]
    app = screen(project.id, "seeds")
    assert "1. Training of round 1" in texts(app)
    app.button(key=f"first-{third}").click().run()
    assert [j.id for j in jobs.waiting()] == [third, first, second]
    app.button(key=f"up-{second}").click().run()
    assert [j.id for j in jobs.waiting()] == [third, second, first]
    app.button(key=f"remove-{third}").click().run()
    assert [j.id for j in jobs.waiting()] == [second, first]
    assert not app.exception
