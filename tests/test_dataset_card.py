"""The dataset card: what the hub can read, and all that was done and found."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import yaml
from databases import migrated

from core.schemas.errors import UserError
from core.schemas.plan import PreparationPlan
from core.services import dataset_cards, datasets, fixes, preparation, projects
from core.services.dataset_cards import CardNotes
from core.store.tables import DatasetVersion, Project

TEXTS = "text,label\n" + "".join(
    f"message number {i} about a {'lamp' if i % 3 else 'kettle'},{'ab'[i % 2]}\n" for i in range(60)
)


@pytest.fixture
def made(storage: Path) -> tuple[Project, DatasetVersion]:
    migrated()
    project = projects.create("Lamps | and <more>", "classification", "Sort messages.")
    upload = datasets.keep_upload(
        project.id, "messages.csv", io.BytesIO((TEXTS + "message again,a\nmessage again,a\n").encode())
    )
    version = datasets.import_files(
        project.id,
        {"files": [{"upload_id": upload.id}], "roles": {"text": "text", "label": "label"}, "task": "classification"},
    )
    return projects.get(project.id), version


def test_the_card_tells_source_fixes_split_and_licence(made: tuple[Project, DatasetVersion]) -> None:
    project, version = made
    fixed = fixes.apply(project, version, "drop_duplicates", {})
    project = projects.get(project.id)
    preparation.save(project, PreparationPlan())
    dataset_cards.keep_notes(
        project, CardNotes(licence="cc-by-4.0", languages="en, DE", source="A shop's inbox, 2024.")
    )
    text = dataset_cards.dataset_card(projects.get(project.id), fixed)

    _, header, body = text.split("---\n", 2)
    assert yaml.safe_load(header) == {
        "pretty_name": "Lamps | and <more>, version 2",
        "license": "cc-by-4.0",
        "task_categories": ["text-classification"],
        "size_categories": ["n<1K"],
        "tags": ["tunewell"],
        "language": ["en", "de"],
    }
    assert "imported from `messages.csv`" in body and "A shop's inbox, 2024." in body
    assert f"{fixes.describe('drop_duplicates').title}" in body and "1 rows touched" in body
    assert "| a | 31 |" in body and "Stratified by label, seed 17" in body
    plan = preparation.current(projects.get(project.id))
    assert plan is not None and f"| test | {plan.counts['test']} |" in body


def test_the_hub_s_own_reader_accepts_the_card(made: tuple[Project, DatasetVersion]) -> None:
    hub = pytest.importorskip("huggingface_hub")
    project, version = made
    card = hub.DatasetCard(dataset_cards.dataset_card(project, version))
    assert card.data.license == "unknown" and card.data.size_categories == ["n<1K"]


def test_what_nobody_said_is_not_invented(made: tuple[Project, DatasetVersion]) -> None:
    text = dataset_cards.dataset_card(*made)
    assert "has not said where the texts come from" in text
    assert "has not been checked" in text and "Not split yet." in text


def test_a_language_must_be_a_code(made: tuple[Project, DatasetVersion]) -> None:
    with pytest.raises(UserError, match="language"):
        dataset_cards.keep_notes(made[0], CardNotes(languages="English!"))
