"""Half-written files that killed processes left in the storage folder: removed when they are old and nobody has them open."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from core.atomic import MANIFEST, sweep

from . import jobs, records
from .config import storage_root
from .tables import Export

OLD_SECONDS = 3600.0
_PLACES = (
    "uploads", "tables", "state", "models", "models/*", "exports/*", "runs/*", "runs/*/checkpoints", "tokens/*", "archives",
    "batches/*", "batches/*/parts",
)  # fmt: skip


def open_files() -> set[str]:
    """Paths that processes of this person have open, as far as the system says so."""
    found: set[str] = set()
    for process in psutil.process_iter():
        try:
            found.update(file.path for file in process.open_files())
        except (psutil.Error, OSError):
            continue  # it ended, or it is not ours
    return found


def sweep_leftovers(now: Callable[[], float] = time.time, in_use: Callable[[], set[str]] = open_files) -> None:
    """Remove leftovers older than an hour (by the newest file in them) that no process has open."""
    root, opened = storage_root(), None
    for place in sorted(p for pattern in _PLACES for p in root.glob(pattern) if p.is_dir()):

        def may_go(leftover: Path) -> bool:
            nonlocal opened
            if now() - _changed(leftover) <= OLD_SECONDS:
                return False
            opened = in_use() if opened is None else opened  # slow, and rarely needed
            return not any(path == str(leftover) or Path(path).is_relative_to(leftover) for path in opened)

        sweep(place, may_go)
        if place.parent.name == "exports" and now() - _changed(place) > OLD_SECONDS and _nobodys(place):
            shutil.rmtree(place, ignore_errors=True)  # its export was never finished, or is being deleted


def _nobodys(place: Path) -> bool:
    """Whether neither an export nor a job that may still make it has the id that the folder is called by.

    A whole export that this database knows nothing of stays: it may be the wrong database, or an older copy of it.
    """
    if records.get(Export, place.name) is not None:
        return False
    job = jobs.get(place.name)
    return not any(place.glob(f"*/{MANIFEST}")) if job is None else job.state.final


def _changed(path: Path) -> float:
    """When the newest file in it was written."""
    times = [path.stat().st_mtime]
    for inner in path.rglob("*") if path.is_dir() else ():
        try:
            times.append(inner.stat().st_mtime)
        except FileNotFoundError:
            continue
    return max(times)
