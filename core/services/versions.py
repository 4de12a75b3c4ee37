"""The history of a dataset: back and forward between versions, notes, and what differs between any two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from core.data.health_rows import filled
from core.store import records
from core.store.files import load_table
from core.store.tables import DatasetVersion, Project

from . import datasets

NOTE_LENGTH = 2_000
UNDOABLE = ("fix", "correction", "balance")  # kinds of `origin` that were made from another version by one press


@dataclass(frozen=True)
class Difference:
    """What has changed from one version to another, matched by row id.

    `dropped` and `added` are whole rows; `cells` has a line a changed cell (row_id, column, before, after), and `labels`
    the rows of each label before and after, most rows first.
    """

    dropped: pd.DataFrame
    added: pd.DataFrame
    cells: pd.DataFrame
    changed_rows: int
    relabelled: int
    labels: Mapping[str, tuple[int, int]]

    @property
    def nothing(self) -> bool:
        return not (len(self.dropped) or len(self.added) or len(self.cells))


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


def difference(earlier: DatasetVersion, later: DatasetVersion) -> Difference:
    """What has changed between any two versions of a project."""
    label = later.roles.get("label") or earlier.roles.get("label") or ""
    return _difference(earlier.content, later.content, label)


@lru_cache(maxsize=6)
def _difference(earlier: str, later: str, label: str) -> Difference:
    old, new = (load_table(content).to_pandas().set_index(datasets.ROW_ID) for content in (earlier, later))
    kept = old.index.intersection(new.index)
    a, b = old.loc[kept], new.loc[kept]
    found = []
    for column in dict.fromkeys([*old.columns, *new.columns]):
        left = _cells(a, column)
        right = _cells(b, column)
        places = np.flatnonzero(left != right)
        if len(places):
            found.append(
                pd.DataFrame(
                    {"row_id": kept[places], "column": column, "before": left[places], "after": right[places]}
                )
            )
    cells = pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=["row_id", "column", "before", "after"])
    return Difference(
        dropped=old.loc[~old.index.isin(kept)].reset_index(),
        added=new.loc[~new.index.isin(kept)].reset_index(),
        cells=cells,
        changed_rows=int(cells["row_id"].nunique()),
        relabelled=int((cells["column"] == label).sum()),
        labels=_labels(old, new, label),
    )


def _cells(frame: pd.DataFrame, column: str) -> np.ndarray:
    """The cells as texts; a column that one version lacks counts as empty."""
    if column not in frame.columns:
        return np.full(len(frame), "", dtype=object)
    return np.asarray(filled(frame[column]), dtype=object)


def _labels(old: pd.DataFrame, new: pd.DataFrame, label: str) -> dict[str, tuple[int, int]]:
    if label not in old.columns and label not in new.columns:
        return {}
    counts = [Counter(_cells(frame, label)) for frame in (old, new)]
    names = sorted(set(counts[0]) | set(counts[1]), key=lambda name: (-counts[0][name] - counts[1][name], name))
    return {name: (counts[0][name], counts[1][name]) for name in names if name.strip()}
