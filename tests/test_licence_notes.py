"""Licence notes: what licences ask is listed, what nobody knows is said to be unknown, and no path of the machine leaves."""

from __future__ import annotations

from pathlib import Path

import pytest
import stored_rounds as made

from core.schemas.responsible import ResponsibleUse
from core.services import data_sources, dataset_cards, licence_notes, projects, responsible
from core.store import records
from core.store.tables import BaseModel, DatasetVersion, Project, Run


def _licence(project: Project, name: str) -> Path:
    """Give the project's base model this licence; its folder."""
    row = records.get(BaseModel, str(project.base_model_key))
    assert row is not None
    records.change(BaseModel, row.id, {"facts": {**row.facts, "licence": name}})
    return Path(row.facts["folder"])


def test_nothing_is_guessed_where_nothing_was_stated(small_project: Project) -> None:
    run = made.trained(small_project)
    said = licence_notes.notes(run)
    assert "licence of the base model is **not known**" in said and "licence of the data is **not known**" in said
    assert "agree to this use? **not answered**" in said and "where it came from was not recorded" in said
    assert "You may use" not in said and licence_notes.data_licence(small_project) == ""


def test_what_the_licences_ask_is_listed_and_two_that_exclude_one_another_are_named(small_project: Project) -> None:
    _licence(small_project, "cc-by-sa-4.0")
    dataset_cards.keep_notes(
        small_project, dataset_cards.CardNotes(licence="cc-by-nc-sa-4.0", source="Letters | <b>bold</b>")
    )
    responsible.keep(projects.get(small_project.id), ResponsibleUse(consent="partly"))
    run = made.trained(projects.get(small_project.id))
    said = licence_notes.notes(run)
    for asked in ("Name its authors", "under the same licence", "to earn money", "Some agreed, others were not asked"):
        assert asked in said
    assert "the two differ" in said and "<b>" not in said
    _licence(small_project, "cc-by-nc-sa-4.0")
    assert "the two differ" not in licence_notes.notes(run)


def test_an_unknown_licence_is_named_and_not_explained(small_project: Project) -> None:
    _licence(small_project, "own-terms-3")
    said = licence_notes.notes(made.trained(small_project))
    assert "“own-terms-3”, which Tunewell does not know" in said and "What it asks is **not known**" in said


def test_a_model_that_is_gone_is_said_to_be_unknown(small_project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    run = made.trained(small_project)
    records.change(Run, run.id, {"base_model_key": "folder:/gone"})
    run = records.get(Run, run.id) or run
    assert "no longer on this machine" in licence_notes.notes(run) and licence_notes.texts(run) == {}


def test_licence_texts_of_the_base_model_come_along_but_no_links(
    small_project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = made.trained(small_project)
    facts = licence_notes.base(run)
    assert facts is not None
    (tmp_path / "NOTICE").write_text("made by somebody")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "LICENSE").symlink_to(tmp_path / "secret")
    moved = facts.model_copy(update={"folder": str(tmp_path)})
    monkeypatch.setattr(licence_notes, "base", lambda run: moved)
    assert licence_notes.texts(run) == {"base-model-NOTICE": b"made by somebody"}
    assert "`base-model-NOTICE`" in licence_notes.notes(run)


def test_rounds_that_go_on_from_rounds_name_them_and_their_data(small_project: Project) -> None:
    first = made.trained(small_project)
    version = records.get(DatasetVersion, first.dataset_version_id)
    assert version is not None
    other = DatasetVersion(
        project_id=small_project.id,
        title="later",
        content="f" * 64,
        rows=7,
        roles=version.roles,
        origin={"kind": "votes"},
    )
    second = made.trained(small_project)
    records.change(Run, second.id, {"start_run_id": first.id, "dataset_version_id": records.add_numbered(other).id})
    second = records.get(Run, second.id) or second
    said = licence_notes.notes(second)
    assert f"round {first.number} ({first.name})" in said and "people chose or corrected" in said
    assert f"Version {version.number}:" in said and "Version 2: 7 rows" in said


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/home/somebody/secret project/rows.csv", data_sources.Source("rows.csv")),
        ("C:\\Users\\somebody\\rows.csv", data_sources.Source("rows.csv")),
        (
            "/s/data/hub/toy--data--c0ffee000000/train/a.parquet",
            data_sources.Source("train/a.parquet", dataset="toy/data", commit="c0ffee000000"),
        ),
        (
            "/s/data/hub/squad--c0ffee000000/a.json",
            data_sources.Source("a.json", dataset="squad", commit="c0ffee000000"),
        ),
    ],
)
def test_a_folder_of_this_machine_does_not_leave_and_a_dataset_of_the_hub_is_named(
    path: str, expected: data_sources.Source
) -> None:
    assert data_sources.of_path(path) == expected
