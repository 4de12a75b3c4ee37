"""The Bias audit screen on the audit of the data: what is drawn, what opens its rows, and the editor of the words. No model."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from databases import migrated
from streamlit.testing.v1 import AppTest
from test_data_audit import admitted, made

from core.audits.data_coverage import PLUGIN, Config
from core.schemas.audits import AuditInput
from core.schemas.identity import OwnTerm, OwnWords, Removed
from core.services import audits, datasets, identity_words, projects
from core.store import records
from core.store.tables import Plan, Run


@pytest.fixture
def run(storage: Path) -> Run:
    """A round on made-up applications whose audit of the data is there."""
    migrated()
    project = projects.create("Applications", "classification")
    examples, columns = made(600, admitted(woman=(0.35, 0.92), man=(0.2, 0.72), crowded=0.8))
    frame = pd.DataFrame({
        "row_id": [e.row_id for e in examples], "text": [e.text for e in examples], "label": [e.label for e in examples],
        "department": list(columns["department"].values()),
    })  # fmt: skip
    roles = {"text": "text", "label": "label"}
    version = datasets.add_version(project.id, frame, roles=roles, title="made up", origin={"task": "classification"})
    plan = records.add(Plan(project_id=project.id, dataset_version_id=version.id, config={}, counts={}, content="none"))
    made_run = records.add_numbered(
        Run(
            project_id=project.id, name="first", dataset_version_id=version.id, plan_id=plan.id, base_model_key="starter",
            task="classification", recipe={}, summary={"best": {}},
        )
    )  # fmt: skip
    result = PLUGIN.run(AuditInput(examples, categories=audits.other_columns(made_run, {})), Config())
    audits.store(made_run, {}, {"data_coverage": result}, {})
    return made_run


def panel(run_id: str) -> None:
    from core.services import audits, runs
    from core.ui.data_audit import data_panel

    data_panel(runs.get(run_id), audits.of_run(run_id)[0])


def editor(project_id: str, language: str) -> None:
    import streamlit as st

    from core.services import projects
    from core.ui.lexicon_editor import lexicon_panel

    st.session_state["lexicon"] = True
    lexicon_panel(projects.get(project_id), language)


def test_a_cell_opens_its_rows_with_the_words_marked_and_a_third_column_is_shown(run: Run) -> None:
    at = AppTest.from_function(panel, kwargs={"run_id": run.id}, default_timeout=60).run()
    assert not at.exception and "looked at closely" in at.markdown[0].value
    box = next(box for box in at.selectbox if box.label == "Or open the rows of")
    women = next(option for option in box.options if option.startswith("women: admit"))
    box.select(women).run()
    table = " ".join(element.proto.body for element in at.get("html"))
    assert "<mark>woman</mark>" in table and "admit" in table and "<mark>man</mark>" not in table
    at.button_group[0].set_value("Inside a third column").run()
    assert not at.exception
    assert any("the other way round" in element.value for element in at.markdown)
    assert any("Simpson" in element.value for element in at.caption)


def test_the_editor_tries_a_sentence_and_says_what_is_not_rewritten(run: Run) -> None:
    at = AppTest.from_function(
        editor, kwargs={"project_id": run.project_id, "language": "en"}, default_timeout=60
    ).run()
    assert not at.exception
    assert "<mark>Muslim</mark>" in " ".join(element.proto.body for element in at.get("html"))
    assert at.button[0].disabled
    own = OwnWords(
        terms=(OwnTerm(axis="Region", group="northerners", forms=("northerner",)),),
        removed=(Removed(axis="religion", word="muslim"),),
    )
    identity_words.save(run.project_id, "en", own)
    at = AppTest.from_function(
        editor, kwargs={"project_id": run.project_id, "language": "en"}, default_timeout=60
    ).run()
    at.text_input[0].set_value("A Muslim northerner.").run()
    shown = " ".join(element.proto.body for element in at.get("html"))
    assert "<mark>northerner</mark>" in shown and "<mark>Muslim</mark>" not in shown and at.button[0].disabled
    german = AppTest.from_function(editor, kwargs={"project_id": run.project_id, "language": "de"}, default_timeout=60)
    assert any("not rewritten" in element.value for element in german.run().caption)


def test_changed_words_make_the_health_report_out_of_date(run: Run) -> None:
    from core.services import health

    version = datasets.get_version(run.dataset_version_id)
    before = health.key_of(version)
    identity_words.save(run.project_id, "en", OwnWords(removed=(Removed(axis="gender", word="guy"),)))
    assert health.key_of(version) != before


def test_own_kinds_of_groups_join_the_settings_of_an_audit(run: Run) -> None:
    own = OwnWords(terms=(OwnTerm(axis="Region", group="northerners", forms=("northerner",)),))
    settings = identity_words.with_own_axes(Config(axes=("gender",)), "en", own)
    assert settings.axes == ("gender", "own_region")
    assert identity_words.with_own_axes(Config(), "en", OwnWords()) == Config()
