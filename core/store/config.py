"""Where the data lives. Read from the environment at each call, so that tests and instances never share state."""

from __future__ import annotations

import os
from pathlib import Path

# The environment variables that a person may set, with the help that docs/command-line.md shows.
VARIABLES = {
    "TUNEWELL_STORAGE": "The folder that holds all data; by default `storage/` of the project.",
    "TUNEWELL_DATABASE_URL": "The address of the database; by default SQLite in that folder.",
    "TUNEWELL_THREADS": "How many processor threads a job computes with; by default the real cores, at most 16. A training "
    "that is resumed keeps the number it began with.",
    "HF_TOKEN": "An access token, for gated models of the hub.",
}
PROJECT_ROOT = Path(__file__).resolve().parents[2]


def storage_root() -> Path:
    """Absolute path of the storage folder (`TUNEWELL_STORAGE`, by default `storage/` of the project)."""
    return Path(os.environ.get("TUNEWELL_STORAGE") or PROJECT_ROOT / "storage").resolve()


def database_url() -> str:
    """SQLAlchemy address of the database (`TUNEWELL_DATABASE_URL`, by default SQLite in the storage folder)."""
    return os.environ.get("TUNEWELL_DATABASE_URL") or f"sqlite:///{storage_root() / 'tunewell.db'}"
