"""Rows that trainings have encoded (`tokens/PROJECT/KEY`), kept for the next one: the oldest go when nobody asks for them."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from .config import storage_root
from .files import folder

UNUSED_SECONDS = 14 * 86_400.0
MOST_BYTES = 5 * 2**30
YOUNG_SECONDS = 3600.0  # one that a training is just reading, whatever it takes


def of_project(project_id: str) -> Path:
    """Where the trainings of a project keep their encoded rows. It goes with the project."""
    return folder("tokens", project_id)


def sweep_token_caches(now: Callable[[], float] = time.time) -> None:
    """Remove entries that nobody used for two weeks, and beyond 5 GB in all those that were used longest ago."""
    entries = [p for p in storage_root().glob("tokens/*/*") if p.is_dir() and not p.name.startswith(".")]
    used = sorted(((p.stat().st_mtime, p) for p in entries), reverse=True)
    total = 0
    for at, entry in used:
        age = now() - at
        total += sum(file.stat().st_size for file in entry.rglob("*") if file.is_file())
        if age > UNUSED_SECONDS or (total > MOST_BYTES and age > YOUNG_SECONDS):
            shutil.rmtree(
                entry, ignore_errors=True
            )  # one that is mapped into memory stays readable, or stays (Windows)
