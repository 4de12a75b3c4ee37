"""Dataset versions: from uploaded files to immutable tables with row ids that survive every fix."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa

from core import importers
from core.schemas.errors import UserError
from core.schemas.examples import Example
from core.schemas.imports import ImportOptions, ImportReport
from core.schemas.jobs import JobKind
from core.store import jobs, records
from core.store.files import keep_stream, keep_table, load_table, upload_path
from core.store.tables import DatasetVersion, Project, Upload
from core.tasks import registry as tasks

ROW_ID = "row_id"
PART = "part_of_file"  # the column that says which of several files a row came from


def keep_upload(project_id: str, filename: str, stream: BinaryIO) -> Upload:
    """Copy a file to the storage in chunks, under its hash. The client's file name is only ever shown, never a path."""
    digest, size = keep_stream(stream)
    if size == 0:
        raise UserError("The file is empty.", f"{filename} has no content.", "Choose the file that holds your examples.")
    return records.add(Upload(project_id=project_id, filename=filename[:255], sha256=digest, size=size))


def get_upload(upload_id: str) -> Upload:
    upload = records.get(Upload, upload_id)
    if upload is None:
        raise UserError("The file is not there any more.", "It was removed with its project.", "Upload it again.")
    return upload


def inspect(upload: Upload, options: ImportOptions) -> ImportReport:
    """What the beginning of the file looks like under these options."""
    return importers.inspect(upload_path(upload.sha256), upload.filename, options)


def submit_import(
    project_id: str, files: Sequence[Mapping[str, Any]], roles: Mapping[str, str], task: str, title: str = ""
) -> str:
    """Queue an import. `files`: upload_id, options (of `ImportOptions`) and, for one file a split, part. Returns the job id."""
    tasks()[task].check_roles(roles)
    payload = {"files": [dict(f) for f in files], "roles": dict(roles), "task": task, "title": title}
    return jobs.submit(JobKind.IMPORT, project_id, payload)


def import_files(project_id: str, payload: Mapping[str, Any]) -> DatasetVersion:
    """Read the files of an import job into a new version and make it the project's current one (run by the worker)."""
    frames, reports, names = [], [], []
    for file in payload["files"]:
        upload = get_upload(file["upload_id"])
        table, report = importers.read(
            upload_path(upload.sha256), upload.filename, ImportOptions.model_validate(file.get("options") or {})
        )
        frame = table.to_pandas()
        frame = frame.drop(columns=[c for c in (ROW_ID, PART) if c in frame.columns])
        frame.insert(0, ROW_ID, [f"{upload.sha256[:4]}-{i}" for i in range(len(frame))])
        if len(payload["files"]) > 1:
            frame[PART] = file.get("part") or upload.filename
        frames.append(frame)
        reports.append(report.model_dump(mode="json", exclude={"preview"}))
        names.append(upload.filename)
    missing = [c for c in payload["roles"].values() if any(c not in f.columns for f in frames)]
    if missing:
        raise UserError(
            "A column is missing.",
            f"Not every file has the column {missing[0]!r}.",
            "Check the columns, or import only the files that belong together.",
        )
    frame = pd.concat(frames, ignore_index=True)
    frame[ROW_ID] = _unique(frame[ROW_ID])
    return add_version(
        project_id,
        frame,
        roles=payload["roles"],
        title=payload.get("title") or ", ".join(names),
        origin={"kind": "import", "files": payload["files"], "names": names, "task": payload["task"]},
        report={"files": reports},
    )


def _unique(ids: pd.Series) -> list[str]:
    seen: dict[str, int] = {}
    out = []
    for row_id in ids:
        seen[row_id] = seen.get(row_id, -1) + 1
        out.append(row_id if seen[row_id] == 0 else f"{row_id}.{seen[row_id]}")
    return out


def add_version(
    project_id: str,
    frame: pd.DataFrame,
    *,
    roles: Mapping[str, str],
    title: str,
    origin: Mapping[str, Any],
    report: Mapping[str, Any] | None = None,
    parent: DatasetVersion | None = None,
) -> DatasetVersion:
    """Keep a table (first column `row_id`, the others text) as the project's next version and current dataset."""
    if frame.empty:
        raise UserError("There are no rows.", "Nothing is left to learn from.", "Use another file, or undo the last change.")
    text = {c: frame[c].astype("string") for c in frame.columns}
    content = keep_table(pa.Table.from_pandas(pd.DataFrame(text), preserve_index=False))
    version = records.add_numbered(
        DatasetVersion(
            project_id=project_id,
            parent_id=parent.id if parent else None,
            lineage=parent.lineage if parent else _next_lineage(project_id),
            title=title,
            content=content,
            rows=len(frame),
            roles=dict(roles),
            origin=dict(origin),
            report=dict(report or {}),
        )
    )
    records.change(Project, project_id, {"dataset_version_id": version.id})
    return version


def _next_lineage(project_id: str) -> int:
    """A fresh import starts a new lineage: its test set is another one, and scores are not compared across."""
    return max((v.lineage for v in records.find(DatasetVersion, project_id=project_id)), default=0) + 1


def get_version(version_id: str) -> DatasetVersion:
    version = records.get(DatasetVersion, version_id)
    if version is None:
        raise UserError("There is no dataset yet.", "Nothing has been imported.", "Go to Dataset and add your examples.")
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
    records.change(Project, project_id, {"dataset_version_id": version_id})


@lru_cache(maxsize=4)
def _frame(content: str) -> pd.DataFrame:
    return load_table(content).to_pandas()


def frame(version: DatasetVersion) -> pd.DataFrame:
    """The whole table. Treat it as read-only: it is shared."""
    return _frame(version.content)


def page(version: DatasetVersion, offset: int, limit: int, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Some rows, for a screen."""
    return load_table(version.content, columns).slice(offset, limit).to_pandas()


def examples(version: DatasetVersion, task: str, only: Iterable[str] | None = None) -> tuple[list[Example], list[str]]:
    """All rows as examples in file order, and the ids of rows that are empty. `only` narrows to some row ids."""
    wanted = set(only) if only is not None else None
    make = tasks()[task].to_example
    kept: list[Example] = []
    empty: list[str] = []
    for row in _frame(version.content).to_dict("records"):
        row_id = str(row[ROW_ID])
        if wanted is not None and row_id not in wanted:
            continue
        clean = {str(k): (None if v is None or v is pd.NA or v != v else str(v)) for k, v in row.items()}
        example = make(clean, version.roles, row_id)
        if example is None:
            empty.append(row_id)
        else:
            kept.append(example)
    return kept, empty


def store_health(version_id: str, health: Mapping[str, Any]) -> None:
    records.change(DatasetVersion, version_id, {"health": dict(health)})


