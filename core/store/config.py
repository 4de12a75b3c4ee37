"""Where the data lives and what is refused. Read from the environment at each call, so that tests and instances never
share state."""

from __future__ import annotations

import os
from pathlib import Path

from core.schemas.errors import UserError
from core.schemas.imports import ImportLimits

# The environment variables that a person may set, with the help that docs/command-line.md shows.
VARIABLES = {
    "TUNEWELL_STORAGE": "The folder that holds all data; by default `storage/` of the project.",
    "TUNEWELL_DATABASE_URL": "The address of the database; by default SQLite in that folder.",
    "TUNEWELL_THREADS": "How many processor threads a job computes with; by default the real cores, at most 16. A training "
    "that is resumed keeps the number it began with.",
    "TUNEWELL_WARM": "0: every job imports its libraries anew. By default the worker keeps them ready (about 0.6 GB of memory "
    "until half an hour after the last job) on Linux without a graphics card, where 3 GB are free.",
    "TUNEWELL_DATA_FOLDERS": "Folders from which people may choose data on this machine, separated as in `PATH`; by default "
    "the home folder, and `data` in the storage folder. Empty: none.",
    "TUNEWELL_UPLOAD_BYTES": "The largest file that is uploaded or fetched from the hub, and the largest content of an "
    "archive, in bytes after unpacking; by default 500000000.",
    "TUNEWELL_FOLDER_BYTES": "The same for files in a folder of this machine, which are not copied; by default 20000000000.",
    "TUNEWELL_UNPACK_RATIO": "An archive that unpacks to more than this many times its size (and to more than 50 MB) is "
    "refused; by default 100.",
    "TUNEWELL_MOST_COLUMNS": "A table with more columns is refused; by default 10000.",
    "HF_TOKEN": "An access token, for gated models and datasets of the hub.",
}
NUMBERS = {
    "TUNEWELL_UPLOAD_BYTES": 500_000_000,
    "TUNEWELL_FOLDER_BYTES": 20_000_000_000,
    "TUNEWELL_UNPACK_RATIO": 100,
    "TUNEWELL_MOST_COLUMNS": 10_000,
}
PROJECT_ROOT = Path(__file__).resolve().parents[2]


def storage_root() -> Path:
    """Absolute path of the storage folder (`TUNEWELL_STORAGE`, by default `storage/` of the project)."""
    return Path(os.environ.get("TUNEWELL_STORAGE") or PROJECT_ROOT / "storage").resolve()


def database_url() -> str:
    """SQLAlchemy address of the database (`TUNEWELL_DATABASE_URL`, by default SQLite in the storage folder)."""
    return os.environ.get("TUNEWELL_DATABASE_URL") or f"sqlite:///{storage_root() / 'tunewell.db'}"


def own_data_folder() -> Path:
    """`data` in the storage folder: what is fetched from the hub lies there, and what somebody puts there."""
    return storage_root() / "data"


def data_folders() -> list[Path]:
    """Resolved folders from which people may choose data on this machine (`TUNEWELL_DATA_FOLDERS`)."""
    said = os.environ.get("TUNEWELL_DATA_FOLDERS")
    if said is None:
        return [Path.home().resolve(), own_data_folder()]
    return [Path(folder).expanduser().resolve() for folder in said.split(os.pathsep) if folder.strip()]


def import_limits(*, from_folder: bool = False) -> ImportLimits:
    """What an import refuses. Files of a folder on this machine may be larger than what is uploaded."""
    return ImportLimits(
        max_bytes=_number("TUNEWELL_FOLDER_BYTES" if from_folder else "TUNEWELL_UPLOAD_BYTES"),
        max_ratio=_number("TUNEWELL_UNPACK_RATIO"),
        max_columns=_number("TUNEWELL_MOST_COLUMNS"),
    )


def _number(variable: str) -> int:
    said = os.environ.get(variable) or NUMBERS[variable]
    try:
        number = int(float(said))
    except (ValueError, OverflowError):
        number = 0
    if number < 1:
        raise UserError(
            f"{variable} is not a number.",
            f"This environment variable is {str(said)[:40]!r}; it must be a whole number above 0.",
            "Correct it or leave it out, then start Tunewell again.",
        )
    return number
