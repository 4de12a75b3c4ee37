"""The screens around rounds, drawn with real rows: the list, two of them compared, the opening of the test set, the next one."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import stored_rounds as made
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.schemas.jobs import JobKind
from core.services import next_round, openings, projects, recipes, rounds
from core.store import jobs
from core.store.tables import Project
from core.ui import screens

PAGES = Path(__file__).resolve().parents[1] / "pages"
FASTER = made.RECIPE.model_copy(update={"learning_rate": 5e-4})


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A screen of its own knows no others: links lead nowhere, and going to another one ends it."""
    monkeypatch.setattr(st, "page_link", lambda *given, **also: None)
    monkeypatch.setattr(st, "switch_page", lambda *given, **also: st.stop())


def opened(page: str, project: Project, tab: str = "", **parameters: str) -> AppTest:
    app = AppTest.from_file(str(PAGES / page), default_timeout=120)
    if tab:
        app.session_state["rounds-tabs"] = tab
    app.query_params["project"] = project.id
    for name, value in parameters.items():
        app.query_params[name] = value
    return app.run()


def texts(app: AppTest) -> str:
    """Everything that can be read, without its markup."""
    kinds: tuple[Any, ...] = (app.markdown, app.caption, app.info, app.warning, app.get("html"))
    said = " ".join(str(block.value) for found in kinds for block in found)
    return unescape(re.sub(r"<[^>]+>", " ", said)).replace("\\", "")


def button(app: AppTest, label: str) -> Any:
    [found] = [b for b in app.button if b.label == label]
    return found


@pytest.fixture
def branched(small_project: Project) -> Project:
    """Three rounds, the third from the first; two measured, one opened; and one that failed."""
    first = made.trained(small_project)
    second = made.trained(small_project, FASTER, first)
    made.measured(first, 0.5)
    made.measured(second, 0.75)
    made.measured(second, 0.75, "test", reason="To report a score")
    made.trained(small_project, made.RECIPE.model_copy(update={"seed": 3}), first)
    made.failed(small_project)
    return projects.get(small_project.id)


def test_the_list_says_what_each_round_changed_and_how_good_it_is(branched: Project) -> None:
    app = opened("p65_rounds.py", branched)
    assert not app.exception
    said = texts(app)
    assert "Learning rate 2e-4 → 5e-4" in said and "failed" in said and "The training became unstable." in said
    assert "75.0%" in said and "n = 12" in said and "opened once" in said and "not opened" in said
    assert "Measure 1 round on validation" in [b.label for b in app.button]
    assert len(app.get("plotly_chart")) == 1


def test_rounds_without_a_score_are_measured_on_validation_in_one_press(branched: Project) -> None:
    app = button(opened("p65_rounds.py", branched), "Measure 1 round on validation").click().run()
    assert not app.exception
    [job] = jobs.find(kinds=[JobKind.EVALUATE])
    third = next(one for one in rounds.of_project(branched) if one.number == 3)
    assert job.payload["split"] == "validation" and job.payload["run_id"] == third.run.id
    assert "1 evaluation on the way" in texts(app)


def test_one_round_shows_its_luck_its_marks_and_keeps_a_note_at_once(branched: Project) -> None:
    third = next(one for one in rounds.of_project(branched) if one.number == 3)
    app = opened("p65_rounds.py", branched, run=third.run.id)
    said = texts(app)
    assert "Round 1 differs from it in the seed alone" in said
    assert third.version.content[:12] in said and "torch 2.9.0" in said
    app.text_area(key=f"note-{third.run.id}").input("only another seed").run()
    assert rounds.of_project(branched)[2].run.note == "only another seed"


def test_the_list_can_be_sorted(branched: Project) -> None:
    app = opened("p65_rounds.py", branched)
    app.selectbox(key="rounds-sort").select("validation").run()
    table = next(str(block.value) for block in app.get("html") if "tw-table" in str(block.value))
    numbers = [int(n) for n in re.findall(r">(\d+) · ", table)]
    assert numbers[:2] == [2, 1] and set(numbers) == {1, 2, 3, 4}, "those without a score come last"


def test_two_rounds_are_compared_with_a_verdict_and_the_rows_between_them(branched: Project) -> None:
    app = opened("p65_rounds.py", branched, "Compare two")
    app.selectbox(key="compare-first").select(1)
    app.selectbox(key="compare-second").select(2).run()
    assert not app.exception
    said = texts(app)
    assert "There are too few rows to say whether round 2 is better than round 1." in said
    assert "Both answered the same 12 rows" in said and "+25.0 points" in said
    assert "The test set was not opened for both of them." in said


def test_a_project_without_rounds_leads_to_the_settings(small_project: Project) -> None:
    app = opened("p65_rounds.py", small_project)
    assert not app.exception and "No round yet" in texts(app)


def test_openings_are_listed_and_many_of_them_warn(branched: Project) -> None:
    app = opened("p65_rounds.py", branched, "The test set")
    assert "opened once, for 1 round" in texts(app) and "To report a score" in texts(app)
    assert "no longer honest" not in texts(app)
    for one in rounds.of_project(branched):
        if one.finished:
            made.measured(one.run, 0.6, "test")
    made.measured(made.trained(branched, FASTER), 0.6, "test")
    said = texts(opened("p65_rounds.py", branched, "The test set"))
    assert "4 rounds were judged by this test set" in said and "adaptive overfitting" in said


# -- the opening -------------------------------------------------------------------------------------------------------


def test_an_evaluation_begins_with_validation_and_the_test_set_is_opened_only_after_a_question(
    branched: Project,
) -> None:
    first = rounds.of_project(branched)[0].run
    app = opened("p60_evaluation.py", branched, run=first.id)
    assert not app.exception
    assert app.segmented_control(key=f"rows-{first.id}").value == "validation"
    app.segmented_control(key=f"rows-{first.id}").select("test").run()
    assert "opened once, for 1 round" in texts(app)
    app = button(app, f"Open the test set and evaluate {first.name}").click().run()
    assert jobs.find(kinds=[JobKind.EVALUATE]) == [], "nothing is opened before the question is answered"
    assert "was opened once before" in texts(app) and "points better than it is" in texts(app)
    app.radio(key=f"why-{first.id}").set_value(openings.REASONS[1])
    app.button(key="open-yes").click().run()
    [job] = jobs.find(kinds=[JobKind.EVALUATE])
    assert (job.payload["split"], job.payload["reason"]) == ("test", openings.REASONS[1])


def test_a_round_whose_test_set_was_opened_shows_that_score(branched: Project) -> None:
    second = rounds.of_project(branched)[1].run
    app = opened("p60_evaluation.py", branched, run=second.id)
    assert app.segmented_control(key=f"rows-{second.id}").value == "test"
    assert "Open it again" in [b.label for b in app.button]


# -- the next round ----------------------------------------------------------------------------------------------------


def test_the_next_round_is_asked_for_and_its_changes_are_marked_in_the_form(branched: Project) -> None:
    second = rounds.of_project(branched)[1].run
    app = opened("p65_rounds.py", branched, run=second.id)
    app = app.button(key=f"next-{second.id}").click().run()
    app.radio(key=f"begin-{second.id}").set_value("round")
    app.button(key=f"open-next-{second.id}").click().run()
    project = projects.get(branched.id)
    parent = next_round.parent(project)
    assert parent is not None and parent.id == second.id and recipes.draft(project) == FASTER
    recipes.keep_draft(project, FASTER.model_copy(update={"epochs": 4.0}))
    form = opened("p40_recipe.py", project)
    assert not form.exception
    said = texts(form)
    assert (
        "What changes against round 2" in said
        and "Epochs 2 → 4" in said
        and "goes on from the model of round 2" in said
    )
    marks = next(str(block.value) for block in form.get("html") if "<style>" in str(block.value))
    assert f".st-key-recipe-{project.id}-epochs" in marks and "learning_rate" not in marks
    button(form, "It has nothing to do with that round").click().run()
    assert next_round.parent(projects.get(project.id)) is None


def test_the_screen_stands_beside_the_steps_and_is_none_itself() -> None:
    found = {screen.key: screen for screen in screens.all_screens()}
    assert not found["rounds"].step and found["evaluation"].step
    assert [s.number for s in screens.all_screens() if s.step] == list(range(10))
    keys = list(found)
    assert keys.index("evaluation") + 1 == keys.index("rounds") == keys.index("samples") - 1
