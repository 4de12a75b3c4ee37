"""Responsible use: asked where the task is defined, and whatever is open is said in every document."""

from __future__ import annotations

from typing import Any

import pytest
import stored_rounds as made
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.schemas.responsible import ResponsibleUse
from core.services import dataset_cards, datasets, exports, projects, responsible
from core.services.dataset_cards import CardNotes
from core.store.tables import Project

ANSWERS = ResponsibleUse(
    purpose="Sorting mail.", affected="Customers.", harm="A message waits.", misuse="Ranking staff.", consent="yes"
)


def open_questions(project: Project) -> list[str]:
    return [point.question for point in responsible.open_points(projects.get(project.id))]


def test_every_question_is_open_until_it_is_answered(small_project: Project) -> None:
    every = ["purpose", "affected", "harm", "misuse", "consent", "licence"]
    assert open_questions(small_project) == every
    responsible.keep(small_project, ANSWERS)
    assert open_questions(small_project) == ["licence"]
    dataset_cards.keep_notes(projects.get(small_project.id), CardNotes(licence="mit"))
    assert open_questions(small_project) == []


@pytest.mark.parametrize(
    ("consent", "licence", "open_ones"),
    [
        ("no", "mit", ["consent"]),
        ("partly", "other", ["consent", "licence"]),
        ("no_people", "cc-by-nc-4.0", ["licence"]),
        ("public", "cc0-1.0", ["consent"]),
    ],
)
def test_an_answer_that_settles_nothing_stays_open(
    small_project: Project, consent: Any, licence: str, open_ones: list[str]
) -> None:
    responsible.keep(small_project, ANSWERS.model_copy(update={"consent": consent}))
    dataset_cards.keep_notes(projects.get(small_project.id), CardNotes(licence=licence))
    assert open_questions(small_project) == open_ones


def test_answers_and_open_points_stand_in_both_cards(small_project: Project) -> None:
    run = made.trained(small_project)
    bare = exports.card(run)
    assert "Nobody has said who is affected by its answers." in bare and "Not answered." in bare
    responsible.keep(projects.get(small_project.id), ANSWERS)
    card = exports.card(run)
    assert "Customers." in card and "Nobody has said who is affected" not in card
    project = projects.get(small_project.id)
    version = datasets.current(project)
    assert version is not None
    about = dataset_cards.dataset_card(project, version)
    assert "Agreement of the people in it: yes, they agreed to this use." in about and "Ranking staff." in about


def test_the_questions_are_asked_with_examples_and_kept_as_they_are_answered(
    small_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(st, "page_link", lambda *given, **also: None)

    def script(project_id: str) -> None:
        from core.services import projects
        from core.ui.responsible import open_points_panel, responsible_panel

        responsible_panel(projects.get(project_id))
        open_points_panel(projects.get(project_id))

    app = AppTest.from_function(script, kwargs={"project_id": small_project.id}, default_timeout=30).run()
    assert len(app.text_area) == 4 and all("For example: " in field.placeholder for field in app.text_area)
    assert [e.label for e in app.expander][1] == "6 open points of responsible use"
    app.text_area[1].set_value("Our customers").run()
    app.selectbox[0].set_value("yes").run()
    app.selectbox[1].set_value("mit").run()
    assert not app.exception
    given = responsible.answers(projects.get(small_project.id))
    assert (given.affected, given.consent) == ("Our customers", "yes")
    assert dataset_cards.notes(projects.get(small_project.id)).licence == "mit"
    assert [e.label for e in app.expander][1] == "3 open points of responsible use"
