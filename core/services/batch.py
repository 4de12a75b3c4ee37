"""Many texts at once: a file comes, a round predicts its rows, and the same file goes back with new columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow.parquet as pq

from core.data.predicted import cell
from core.data.safe_cells import csv_line
from core.schemas.batch import PREVIEW_ROWS, BatchSpec, BatchSummary, OutputFormat
from core.schemas.errors import UserError
from core.schemas.examples import Example
from core.schemas.families import FAMILIES
from core.schemas.imports import ColumnKind, ImportReport
from core.schemas.jobs import Desired, Job, JobKind, JobState
from core.store import deleting, jobs, records
from core.store.engine import write
from core.store.files import folder
from core.store.tables import Batch, Run
from core.tasks import registry as tasks

from . import batch_files, datasets, preparation, runs

READS = ("text", "prompt")  # the role of what the model reads, by task
BESIDE = ("context", "system")  # what a model that answers may have been trained to read as well
STAND_INS = {"label": "?", "value": "0", "response": "?", "rating": "up"}  # for the answer that these rows do not have


def add(run: Run, filename: str, stream: BinaryIO) -> Batch:
    """Keep a file for this round. Nothing is predicted yet. Raises UserError where it is empty."""
    upload = datasets.keep_upload(run.project_id, filename, stream)
    spec = BatchSpec(file={"upload_id": upload.id}, filename=upload.filename, format=_like(upload.filename))
    return records.add(Batch(project_id=run.project_id, run_id=run.id, config=spec.model_dump(mode="json")))


def _like(filename: str) -> OutputFormat:
    ending = Path(filename).suffix.lower()
    endings: dict[str, OutputFormat] = {".xlsx": "xlsx", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
    return endings.get(ending, "csv")


def get(batch_id: str) -> Batch:
    found = records.get(Batch, batch_id)
    if found is None:
        raise UserError("This file is not there any more.", "It was deleted.", "Upload it again.")
    return found


def of_project(project_id: str) -> list[Batch]:
    """Newest first."""
    return records.find(Batch, project_id=project_id)


def spec_of(batch: Batch) -> BatchSpec:
    return BatchSpec.model_validate(batch.config)


def summary_of(batch: Batch) -> BatchSummary | None:
    return BatchSummary.model_validate(batch.summary) if batch.summary else None


def job_of(batch: Batch) -> Job | None:
    return jobs.get(batch.job_id) if batch.job_id else None


def inspect(batch: Batch, options: Mapping[str, Any] | None = None) -> ImportReport:
    """What the beginning of the file looks like."""
    return datasets.inspect({**spec_of(batch).file, "options": dict(options or {})})


def reads(task: str) -> str:
    """The role of the column that the model reads."""
    return next(role.key for role in tasks()[task].roles if role.key in READS)


def guess(run: Run, report: ImportReport) -> dict[str, str]:
    """Role to column: those that the training had by name, else what looks most like a text. Empty where nothing does."""
    names = [column.name for column in report.columns]
    lower = {name.lower(): name for name in reversed(names)}
    trained, role = datasets.get_version(run.dataset_version_id).roles, reads(run.task)
    said = trained.get(role) or trained.get("messages") or ""
    found = said if said in names else lower.get(said.lower(), "")
    if not found:
        usual = report.roles.get(run.task, {})
        texts = [c for c in report.columns if c.kind in (ColumnKind.TEXT, ColumnKind.CONVERSATION)]
        longest = max(texts, key=lambda c: c.mean_length).name if texts else ""
        found = usual.get(role) or usual.get("messages") or longest
    columns = {role: found} if found else {}
    wanted = {other.key for other in tasks()[run.task].roles} & set(BESIDE)
    return columns | {key: trained[key] for key in sorted(wanted) if found and trained.get(key) in names}


def check(run: Run, report: ImportReport, spec: BatchSpec) -> None:
    """Raise UserError where the file lacks a column that is to be read, or none was chosen."""
    names = [column.name for column in report.columns]
    if not spec.columns.get(reads(run.task)):
        raise UserError(
            "No column is chosen.",
            f"The file has the columns {', '.join(names[:12])}.",
            "Say in which column the texts stand.",
        )
    for column in spec.columns.values():
        if column not in names:
            raise UserError(
                "The file has no such column.",
                f"There is no column “{column}”. It has: {', '.join(names[:12])}.",
                "Choose one of its columns.",
            )


def example(run: Run, columns: Mapping[str, str], row: Mapping[str, str | None], row_id: str) -> Example | None:
    """The row as the task reads it, made as for training, with a stand-in for the answer. None without a text."""
    task = tasks()[run.task]
    given = {f"\0{key}": value for key, value in STAND_INS.items() if any(role.key == key for role in task.roles)}
    roles = {**columns, **{key.removeprefix("\0"): key for key in given}}
    return task.to_example({**row, **given}, roles, row_id)


def submit_preview(batch: Batch, spec: BatchSpec, run: Run | None = None) -> str:
    """Queue the prediction of the first rows by this round (None: the one that was chosen at the upload). Returns the job."""
    run = run or runs.get(batch.run_id)
    check(run, inspect(batch, spec.file.get("options")), spec)
    payload = {"run_id": run.id, "batch_id": batch.id, "spec": spec.model_dump(mode="json"), "preview": PREVIEW_ROWS}
    return jobs.submit(JobKind.PREDICT, run.project_id, payload)


def start(batch: Batch, spec: BatchSpec, run: Run | None = None) -> str:
    """Freeze what is wanted and queue it. Returns the job. Raises UserError where a column is missing."""
    run = run or runs.get(batch.run_id)
    check(run, inspect(batch, spec.file.get("options")), spec)
    if not run.summary:
        raise UserError(
            "There is no model yet.", "The training is not finished.", "Wait for it, or choose another round."
        )
    batch_files.clear(folder("batches", batch.id))
    with write():
        job_id = jobs.submit(JobKind.PREDICT, run.project_id, {"run_id": run.id, "batch_id": batch.id})
        values = {"config": spec.model_dump(mode="json"), "job_id": job_id, "run_id": run.id, "summary": None}
        records.change(Batch, batch.id, values)
    return job_id


def go_on(batch: Batch) -> None:
    """Take a failed or cancelled batch up again where it was."""
    if batch.job_id:
        jobs.retry(batch.job_id)


def delete(batch: Batch) -> None:
    """Cancel it and delete the file, what was said about it, and what was made of both."""
    job = job_of(batch)
    if job is not None and not job.state.final:
        jobs.wish(job.id, Desired.CANCEL)
    deleting.delete_batch(batch.id)


def state(batch: Batch) -> JobState | None:
    """None where it was not started yet."""
    job = job_of(batch)
    return job.state if job else None


def result_path(batch: Batch) -> Path:
    """The file with the new columns. Raises UserError where it is gone."""
    found = summary_of(batch)
    path = folder("batches", batch.id) / (found.file if found else "result")
    if found is None or not path.is_file():
        raise UserError("The file is not there.", "It was not finished, or was removed.", "Predict the rows again.")
    return path


def download_name(batch: Batch) -> str:
    """A name for the file at the person's side: that of the file that they gave, with what was done to it."""
    spec = spec_of(batch)
    stem = re.sub(r"[^\w.-]+", "-", Path(spec.filename).stem).strip("-.")[:80] or "rows"
    return f"{stem}-predictions.{spec.format}"


def first_rows_csv(batch: Batch, below: float) -> bytes:
    """The rows that the model is less certain of than `below`, least certain first: a table for spreadsheets, at most
    `MOST_FIRST` rows. Texts that look like formulas have an apostrophe in front, whatever was chosen for the file."""
    place = folder("batches", batch.id)
    certain = summary_of(batch)
    if certain is None or not certain.first:
        return b""
    table = pq.read_table(place / batch_files.FIRST)
    return "".join(_lines(table.column_names, table.to_pylist(), below)).encode()


def _lines(names: list[str], rows: list[dict[str, Any]], below: float) -> Iterator[str]:
    yield "\ufeff" + csv_line(["row of the file", "certainty", *names[2:]])
    for row in rows:
        place, certainty, *values = row.values()
        if certainty is not None and certainty >= below:
            break
        yield csv_line([place, certainty, *map(cell, values)])


def trained_shares(run: Run) -> dict[str, float]:
    """Each label's share of the training rows; empty for models without labels."""
    train = training_rows(run)
    if not train or not FAMILIES[tasks()[run.task].family].labels:
        return {}
    counts = Counter(name for e in train for name in (e.labels if e.labels is not None else [e.label or ""]))
    return {name: n / len(train) for name, n in counts.items()}


def training_rows(run: Run) -> list[Example]:
    return preparation.parts(preparation.get_plan(run.plan_id), run.task)["train"]


def read_of(one: Example) -> str:
    """What the model reads of an example, as one text."""
    return one.text or "\n".join(m.content for m in one.prompt if m.role == "user")
