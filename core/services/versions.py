"""The history of a dataset: back and forward between versions, notes, and what differs between any two."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from core.store import records
from core.store.comparison import Compared, compare
from core.store.tables import DatasetVersion, Project

from . import datasets

NOTE_LENGTH = 2_000
UNDOABLE = (
    "fix",
    "correction",
    "balance",
    "votes",
)  # kinds of `origin` that were made from another version by one press


def before(version: DatasetVersion) -> DatasetVersion | None:
    """The version that undoing leads to, or None where this one was not made by a fix."""
    if not version.parent_id or version.origin.get("kind") not in UNDOABLE:
        return None
    return records.get(DatasetVersion, version.parent_id)


def after(version: DatasetVersion) -> DatasetVersion | None:
    """The version that redoing leads to: the newest that a fix made from this one."""
    made = [v for v in datasets.versions(version.project_id) if v.parent_id == version.id]
    return next((v for v in made if v.origin.get("kind") in UNDOABLE), None)


def undo(project: Project) -> DatasetVersion | None:
    """Go back by one fix. Nothing is deleted: `redo` leads forward again. Returns the version that is in use now."""
    return _go(project, before)


def redo(project: Project) -> DatasetVersion | None:
    """Go forward to what was undone last."""
    return _go(project, after)


def _go(project: Project, to: Callable[[DatasetVersion], DatasetVersion | None]) -> DatasetVersion | None:
    version = datasets.current(project)
    target = to(version) if version is not None else None
    if target is not None:
        datasets.go_back(project.id, target.id)
    return target


def set_note(version_id: str, note: str) -> None:
    """What the person wants to remember about a version."""
    records.change(DatasetVersion, version_id, {"note": note.strip()[:NOTE_LENGTH] or None})


def summary(version: DatasetVersion) -> str:
    """What was done to make this version, in a few words with counts."""
    origin = version.origin
    if origin.get("kind") == "import":
        return "imported"
    counts: Mapping[str, int] = origin.get("counts") or {}
    words = {"dropped": "removed", "changed": "changed", "cut": "cut into pieces", "added": "added"}
    parts = [f"{counts[key]:,} {word}" for key, word in words.items() if counts.get(key)]
    return ", ".join(parts) or str(origin.get("kind") or "")


@lru_cache(maxsize=6)
def _compared(earlier: str, later: str, label: str) -> Compared:
    return compare(earlier, later, datasets.ROW_ID, label)


def difference(earlier: DatasetVersion, later: DatasetVersion) -> Compared:
    """What has changed between any two versions of a project: rows, cells, and the rows of each label."""
    return _compared(earlier.content, later.content, later.roles.get("label") or earlier.roles.get("label") or "")
