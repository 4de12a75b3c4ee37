"""Base models: the starter that ships, folders of this machine, and models of the hub; how well each fits a dataset."""

from __future__ import annotations

from pathlib import Path

from core.data.model_facts import read_facts
from core.schemas.errors import UserError
from core.schemas.models import ModelFacts
from core.store import records
from core.store.config import PROJECT_ROOT
from core.store.tables import BaseModel

STARTER_KEY = "starter"
STARTER_FOLDER = PROJECT_ROOT / "assets" / "models" / "tunewell-starter"


def starter() -> ModelFacts:
    """The small English model that ships with Tunewell."""
    return read_facts(STARTER_FOLDER, STARTER_KEY, "starter", title="Tunewell starter")


def all_models() -> list[ModelFacts]:
    """The starter, then everything that was added, newest first."""
    return [starter(), *(ModelFacts.model_validate(row.facts) for row in records.find(BaseModel))]


def get(key: str | None) -> ModelFacts:
    """Raises UserError when no model, or one that is gone, is chosen."""
    if key == STARTER_KEY:
        return starter()
    row = records.get(BaseModel, key) if key else None
    if row is None:
        raise UserError(
            "No base model is chosen.", "Training starts from a pre-trained model.", "Go to Base model and choose one."
        )
    facts = ModelFacts.model_validate(row.facts)
    if not Path(facts.folder).is_dir():
        raise UserError(
            "The base model is gone.",
            f"The folder of {facts.title} is not there any more.",
            "Put it back, or choose another base model.",
        )
    return facts


def add_folder(path: str) -> ModelFacts:
    """Register a model folder of this machine. Raises UserError when it is not a usable model."""
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise UserError(
            "There is no such folder.", f"{path} was not found on this machine.", "Check the path for typing errors."
        )
    folder = folder.resolve()
    facts = read_facts(folder, f"folder:{folder}", "folder")
    records.upsert(BaseModel(id=facts.key, facts=facts.model_dump(mode="json")))
    return facts


def facts_of_folder(folder: Path, title: str) -> ModelFacts:
    """What a model folder that Tunewell keeps itself holds. Raises UserError when it is not a usable model."""
    folder = folder.resolve()
    return read_facts(folder, f"folder:{folder}", "folder", title=title)
