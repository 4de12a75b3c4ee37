"""Formats that a tuned model can leave in. One file each; its torch half is `core/training/exporters/KEY.py`."""

from __future__ import annotations

from importlib.util import find_spec

from core.discovery import discover
from core.schemas.errors import UserError
from core.schemas.exports import Exportable, ExportFormat


def registry() -> dict[str, ExportFormat]:
    """Every plug-in of this folder by its key."""
    return discover(__name__)


def get(key: str) -> ExportFormat:
    """Raises UserError for a format that does not exist."""
    found = registry().get(key)
    if found is None:
        known = ", ".join(registry())
        raise UserError("This format does not exist.", f"There is none called {key!r}.", f"Choose one of: {known}.")
    return found


def refusal(chosen: ExportFormat, model: Exportable) -> str:
    """Why the model is not offered in this format, in one sentence; empty where it is."""
    if model.family not in chosen.families:
        return (
            "It is for models that sort, label or rate texts."
            if len(chosen.families) > 1
            else "It is for models that write."
        )
    missing = [name for name in chosen.needs if find_spec(name) is None]
    if missing:
        return f"It needs the package {' and '.join(missing)}, which is not installed."
    return chosen.unfit(model)
