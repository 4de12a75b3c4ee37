"""Data that lies in a folder of this machine: which folders may be looked into, and which files in them can be read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from core.data.archives import READABLE
from core.schemas.errors import UserError
from core.store import config

MOST_LISTED = 500
PACKED = (".zip", ".gz")


@dataclass(frozen=True)
class FolderFile:
    """`name` is relative to the folder that was listed, `size` in bytes."""

    name: str
    path: str
    size: int


def roots() -> list[Path]:
    """The folders that people may choose data from."""
    return config.data_folders()


def allowed(said: str) -> Path:
    """The file or folder that a typed path means, with every link followed.

    Raises UserError where it is outside of the folders that are allowed (`TUNEWELL_DATA_FOLDERS`), hidden, or not there.
    What is outside is refused in the same words whether or not it exists.
    """
    path = Path(os.path.realpath(Path(said.strip()).expanduser()))
    inside = [root for root in roots() if path == root or root in path.parents]
    if not said.strip() or not inside or any(_private(path, root) for root in inside):
        places = ", ".join(str(root) for root in roots()) or "none"
        raise UserError(
            "This place may not be opened.",
            f"Data can be chosen from these folders and what is below them: {places}. Hidden folders are left out.",
            "Copy the file there, or let whoever runs Tunewell add its folder to TUNEWELL_DATA_FOLDERS.",
        )
    if not path.exists():
        raise UserError(
            "There is no such file or folder.", f"{path} was not found.", "Check the path for typing errors."
        )
    return path


def listing(said: str) -> list[FolderFile]:
    """The files that can be read at this path (a folder, or one file), by name; folders inside it are not entered."""
    path = allowed(said)
    if path.is_file():
        return [FolderFile(path.name, str(path), path.stat().st_size)]
    found = []
    try:
        for entry in sorted(os.scandir(path), key=lambda e: e.name.casefold()):
            if entry.name.startswith(".") or not (READABLE.search(entry.name) or entry.name.lower().endswith(PACKED)):
                continue
            if _is_file(entry.path):
                found.append(FolderFile(entry.name, entry.path, entry.stat().st_size))
    except OSError as error:
        raise UserError(
            "The folder cannot be opened.", f"{path}: {error.strerror}.", "Choose another folder, or allow reading it."
        ) from error
    return found[:MOST_LISTED]


def folders_in(said: str) -> list[str]:
    """Names of the folders at this path that may be entered."""
    path = allowed(said)
    if not path.is_dir():
        return []
    try:
        names = [entry.name for entry in os.scandir(path) if entry.is_dir() and not entry.name.startswith(".")]
    except OSError:
        return []
    return sorted(names, key=str.casefold)[:MOST_LISTED]


def _is_file(path: str) -> bool:
    """Whether it is a readable file whose real place is allowed, too."""
    try:
        return allowed(path).is_file() and os.access(path, os.R_OK)
    except (UserError, OSError):
        return False


def _private(path: Path, root: Path) -> bool:
    """Hidden below its root, such as keys in `.ssh`; or what Tunewell itself keeps in its storage."""
    if any(part.startswith(".") for part in path.relative_to(root).parts):
        return True
    return path.is_relative_to(config.storage_root()) and not path.is_relative_to(config.own_data_folder())
