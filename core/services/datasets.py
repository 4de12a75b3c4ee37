"""Dataset versions: from uploaded files to immutable tables with row ids that survive every fix."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa

from core.schemas.errors import UserError
from core.schemas.examples import Example
from core.schemas.imports import ImportReport
from core.schemas.jobs import JobKind
from core.store import jobs, records, rows
from core.store.engine import write
from core.store.files import keep_stream, keep_table, load_table
from core.store.rows import RowFilter
from core.store.tables import DatasetVersion, Project, Upload
from core.tasks import registry as tasks

from . import reading

ROW_ID, PART = reading.ROW_ID, reading.PART
EVERYTHING = RowFilter()
LOOKED_AT = 2_000  # first rows from which it is found out how a column is written


def keep_upload(project_id: str, filename: str, stream: BinaryIO) -> Upload:
    """Copy a file to the storage in chunks, under its hash. The client's file name is only ever shown, never a path."""
    digest, size = keep_stream(stream)
    if size == 0:
        raise UserError(
            "The file is empty.", f"{filename} has no content.", "Choose the file that holds your examples."
        )
    return records.add(Upload(project_id=project_id, filename=filename[:255], sha256=digest, size=size))


def inspect(file: Mapping[str, Any]) -> ImportReport:
    """What the beginning of a file of an import looks like (see `submit_import`)."""
    return reading.source(file).inspect()


def first_examples(file: Mapping[str, Any], roles: Mapping[str, str], task: str, most: int = 5) -> list[Example]:
    """The first rows of a file of an import as the model would read them; rows that are empty are passed over."""
    make, found = tasks()[task].to_example, []
    roles = settled(file, roles, task)
    for place, row in enumerate(reading.source(file).first(4 * most)):
        example = make(row, roles, str(place))
        if example is not None:
            found.append(example)
    return found[:most]


def settled(file: Mapping[str, Any], roles: Mapping[str, str], task: str) -> dict[str, str]:
    """The roles with what the task finds out about their columns, such as how several labels are written."""
    return tasks()[task].settled(roles, reading.source(file).first(LOOKED_AT))


def submit_import(
    project_id: str, files: Sequence[Mapping[str, Any]], roles: Mapping[str, str], task: str, title: str = ""
) -> str:
    """Queue an import. Each of `files` has `upload_id`, or `path` for a file in a folder of this machine; `options` (of
    `ImportOptions`); and, for one file a split, `part`. Returns the job id."""
    tasks()[task].check_roles(roles)
    first = next((f for f in files if f.get("part") == "train"), files[0])
    payload = {"files": [dict(f) for f in files], "roles": settled(first, roles, task), "task": task, "title": title}
    return jobs.submit(JobKind.IMPORT, project_id, payload)


def import_files(
    project_id: str,
    payload: Mapping[str, Any],
    progress: reading.Progress = lambda name, done, total: None,
    guard: Callable[[], None] = lambda: None,
) -> DatasetVersion:
    """Read the files of an import job into a new version and make it the project's current one (run by the worker)."""
    made = reading.import_table(payload["files"], payload["roles"], progress, guard)
    return _keep_version(
        project_id,
        content=made.content,
        rows=made.rows,
        roles=payload["roles"],
        title=payload.get("title") or ", ".join(made.names),
        origin={"kind": "import", "files": payload["files"], "names": made.names, "task": payload["task"]},
        report={"files": [report.model_dump(mode="json", exclude={"preview"}) for report in made.reports]},
    )


def add_version(
    project_id: str,
    frame: pd.DataFrame,
    *,
    roles: Mapping[str, str],
    title: str,
    origin: Mapping[str, Any],
    report: Mapping[str, Any] | None = None,
    parent: DatasetVersion | None = None,
    lineage: int | None = None,
) -> DatasetVersion:
    """Keep a table (first column `row_id`, the others text) as the project's next version and current dataset.

    It has the test set of its parent unless a `lineage` of its own is given.
    """
    if frame.empty:
        raise UserError(
            "There are no rows.", "Nothing is left to learn from.", "Use another file, or undo the last change."
        )
    text = {c: frame[c].astype("string") for c in frame.columns}
    content = keep_table(pa.Table.from_pandas(pd.DataFrame(text), preserve_index=False))
    return _keep_version(
        project_id,
        content=content,
        rows=len(frame),
        roles=roles,
        title=title,
        origin=origin,
        report=report,
        parent=parent,
        lineage=lineage,
    )


def _keep_version(
    project_id: str,
    *,
    content: str,
    rows: int,
    roles: Mapping[str, str],
    title: str,
    origin: Mapping[str, Any],
    report: Mapping[str, Any] | None = None,
    parent: DatasetVersion | None = None,
    lineage: int | None = None,
) -> DatasetVersion:
    inherited = parent.lineage if parent else next_lineage(project_id)
    version = DatasetVersion(
        project_id=project_id,
        parent_id=parent.id if parent else None,
        lineage=inherited if lineage is None else lineage,
        title=title,
        content=content,
        rows=rows,
        roles=dict(roles),
        origin=dict(origin),
        report=dict(report or {}),
    )
    with write():  # a kill between the two would leave a version that is not in use
        version = records.add_numbered(version)
        records.change(Project, project_id, {"dataset_version_id": version.id})
    return version


def next_lineage(project_id: str) -> int:
    """A fresh import starts a new lineage: its test set is another one, and scores are not compared across."""
    return max((v.lineage for v in records.find(DatasetVersion, project_id=project_id)), default=0) + 1


def get_version(version_id: str) -> DatasetVersion:
    version = records.get(DatasetVersion, version_id)
    if version is None:
        raise UserError(
            "There is no dataset yet.", "Nothing has been imported.", "Go to Dataset and add your examples."
        )
    return version


def versions(project_id: str) -> list[DatasetVersion]:
    """Newest first."""
    return records.find(DatasetVersion, project_id=project_id)


def current(project: Project) -> DatasetVersion | None:
    return records.get(DatasetVersion, project.dataset_version_id) if project.dataset_version_id else None


def go_back(project_id: str, version_id: str) -> None:
    """Make an earlier version the current one. Nothing is deleted."""
    version = get_version(version_id)
    if version.project_id != project_id:
        raise ValueError("the version belongs to another project")
    task = task_of(version)
    records.change(Project, project_id, {"dataset_version_id": version_id} | ({"task": task} if task else {}))


def task_of(version: DatasetVersion) -> str | None:
    """The task that the version was made for: its own, or that of the version it came from; None where none is known."""
    seen: DatasetVersion | None = version
    while seen is not None:
        if seen.origin.get("task"):
            return str(seen.origin["task"])
        seen = records.get(DatasetVersion, seen.parent_id) if seen.parent_id else None
    return None


@lru_cache(maxsize=4)
def _frame(content: str) -> pd.DataFrame:
    return load_table(content).to_pandas()


def frame(version: DatasetVersion) -> pd.DataFrame:
    """The whole table. Treat it as read-only: it is shared."""
    return _frame(version.content)


def page(
    version: DatasetVersion,
    offset: int,
    limit: int,
    columns: Sequence[str] | None = None,
    wanted: RowFilter = EVERYTHING,
) -> pd.DataFrame:
    """Some rows, for a screen: read from the file, filtered and sorted as `wanted`, never the whole table."""
    return rows.page(version.content, wanted, offset, limit, columns).to_pandas()


def count(version: DatasetVersion, wanted: RowFilter) -> int:
    """How many rows fit the filter."""
    return rows.count(version.content, wanted)


def values(version: DatasetVersion, column: str, most: int = 200) -> list[tuple[str | None, int]]:
    """The most frequent values of a column with their number of rows."""
    return rows.values(version.content, column, most)


def columns(version: DatasetVersion) -> list[str]:
    """Names of the columns, the row id first."""
    return rows.columns(version.content)


def examples(version: DatasetVersion, task: str, only: Iterable[str] | None = None) -> tuple[list[Example], list[str]]:
    """All rows as examples in file order, and the ids of rows that are empty. `only` narrows to some row ids."""
    wanted = set(only) if only is not None else None
    make = tasks()[task].to_example
    kept: list[Example] = []
    empty: list[str] = []
    frame = _frame(version.content)
    if wanted is not None:
        frame = frame[frame[ROW_ID].astype(str).isin(wanted)]
    for row in frame.to_dict("records"):
        row_id = str(row[ROW_ID])
        clean = {str(k): (None if v is None or v is pd.NA or v != v else str(v)) for k, v in row.items()}
        example = make(clean, version.roles, row_id)
        if example is None:
            empty.append(row_id)
        else:
            kept.append(example)
    return kept, empty


def store_health(version_id: str, health: Mapping[str, Any]) -> None:
    records.change(DatasetVersion, version_id, {"health": dict(health)})
