"""A fresh test set for a project: new rows, held against everything that was learned or seen, that begin a new lineage.

Training and validation rows stay as they are, so that rounds which were trained before can be measured on the new rows too.
Scores on the earlier test set stay as history and are not compared with the new ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import pandas as pd
import pyarrow as pa

from core.data.health_rows import role_of
from core.data.leakage import overlaps
from core.data.statistics import MIN_ROWS
from core.schemas.base import Schema
from core.schemas.errors import UserError
from core.schemas.examples import Example, Split
from core.schemas.families import FAMILIES
from core.schemas.imports import ImportReport
from core.schemas.jobs import JobKind
from core.store import jobs
from core.store.engine import write
from core.store.files import keep_table, load_table
from core.store.tables import DatasetVersion, Plan, Project
from core.tasks import registry as tasks

from . import datasets, health, preparation, projects, reading

KIND = "fresh test"  # of the origin of a version that came with a new test set
Old = Literal["leave", "train"]


class Candidate(Schema):
    """What was found in the rows of a file. `content` names the table of those that are examples, under the columns of the
    dataset. The lists hold ids of rows that stand in training or validation exactly or nearly, that were in the test set
    before, that stand twice in the file, or have a label that no training row has; a row is in the first list that fits."""

    name: str
    content: str
    rows: int
    empty: int
    exact: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    unknown_labels: dict[str, int] = {}
    version_id: str
    plan_id: str

    @property
    def left_out(self) -> frozenset[str]:
        return frozenset((*self.exact, *self.near, *self.seen, *self.twice, *self.unknown))

    @property
    def usable(self) -> int:
        return self.rows - len(self.left_out)

    @property
    def enough(self) -> bool:
        """Whether a verdict can rest on them at all."""
        return self.usable >= MIN_ROWS


def needed(version: DatasetVersion) -> dict[str, str]:
    """The columns that a file of test rows must have, each with what it is for: column of the dataset to title."""
    task = tasks()[datasets.task_of(version) or ""] if datasets.task_of(version) else None
    titles = {role.key: role.title for role in task.roles} if task else {}
    return {column: titles.get(role_of(role), role) for role, column in version.roles.items() if column}


def matched(version: DatasetVersion, report: ImportReport, task: str) -> dict[str, str]:
    """Column of the dataset to the column of the file that is most likely the same; those without one are missing."""
    names = {column.name.strip().casefold(): column.name for column in report.columns}
    suggested = report.roles.get(task, {})
    found = {}
    for role, column in version.roles.items():
        same = names.get(column.strip().casefold()) if column else None
        if column and (name := same or suggested.get(role)):
            found[column] = name
    return found


def submit(project: Project, file: Mapping[str, Any], columns: Mapping[str, str]) -> str:
    """Queue the look at a file (`upload_id` or `path`, and `options`) whose `columns` are named by those of the dataset.
    Raises UserError where there is no split yet. Returns the job id."""
    version, plan = _current(project)
    payload = {"file": dict(file), "columns": dict(columns), "version_id": version.id, "plan_id": plan.id}
    return jobs.submit(JobKind.TEST_SET, project.id, payload)


def look(
    project: Project,
    payload: Mapping[str, Any],
    progress: reading.Progress = lambda name, done, total: None,
    guard: Callable[[], None] = lambda: None,
) -> Candidate:
    """Read the file of a job and hold its rows against the project's (run by the worker). Raises UserError where it cannot
    be read or holds no examples."""
    version = datasets.get_version(str(payload["version_id"]))
    plan = preparation.get_plan(str(payload["plan_id"]))
    columns: Mapping[str, str] = payload["columns"]
    missing = [title for column, title in needed(version).items() if column not in columns]
    if missing:
        raise UserError(
            "A column is missing.",
            f"The file says nothing about: {', '.join(missing).lower()}.",
            "Choose which of its columns that is.",
        )
    made = reading.import_table([payload["file"]], dict(columns), progress, guard)
    raw = load_table(made.content).to_pandas()
    frame = pd.DataFrame({column: raw[name] for column, name in columns.items()})
    frame.insert(0, datasets.ROW_ID, _fresh_ids(version, len(frame)))
    task = tasks()[project.task or ""]
    examples, kept = [], []
    for place, row in enumerate(frame.to_dict("records")):
        clean = {str(k): (None if v is None or v is pd.NA or v != v else str(v)) for k, v in row.items()}
        example = task.to_example(clean, version.roles, str(row[datasets.ROW_ID]))
        if example is not None:
            examples.append(example)
            kept.append(place)
    if not examples:
        raise UserError(
            "The file holds no examples.",
            f"None of its {len(frame):,} rows has what this task needs.",
            "Check which column is what, or choose another file.",
        )
    progress("Comparing with what was learned", 0, 0)
    found = _compared(project, plan, examples)
    table = frame.iloc[kept].astype("string")
    return Candidate(
        name=made.names[0],
        content=keep_table(pa.Table.from_pandas(table, preserve_index=False)),
        rows=len(examples),
        empty=len(frame) - len(examples),
        version_id=version.id,
        plan_id=plan.id,
        **found,
    )


def _fresh_ids(version: DatasetVersion, count: int) -> list[str]:
    """Ids that no row of the project has: named after the lineage that the rows begin."""
    lineage = datasets.next_lineage(version.project_id)
    taken = set(datasets.frame(version)[datasets.ROW_ID].astype(str))
    prefix = f"test{lineage}"
    while any(f"{prefix}-{n}" in taken for n in range(count)):
        prefix += "x"
    return [f"{prefix}-{n}" for n in range(count)]


def _compared(project: Project, plan: Plan, examples: Sequence[Example]) -> dict[str, Any]:
    parts = preparation.parts(plan, project.task or "")
    new = {e.row_id: preparation.compared_text(e) for e in examples}
    exact, near = _repeats(new, [*parts["train"], *parts["validation"]])
    again, nearly = _repeats(new, parts["test"])
    twice, first = [], set()
    for row, text in new.items():
        key = " ".join(text.split()).casefold()
        if key in first:
            twice.append(row)
        first.add(key)
    unknown, counts = _unknown(project.task or "", parts["train"], examples)
    lists = {"exact": exact, "near": near, "seen": [*again, *nearly], "twice": twice, "unknown": unknown}
    done: set[str] = set()
    found: dict[str, Any] = {"unknown_labels": counts}
    for name, rows in lists.items():
        found[name] = tuple(row for row in rows if row not in done)
        done.update(rows)
    return found


def _repeats(new: Mapping[str, str], old: Sequence[Example]) -> tuple[list[str], list[str]]:
    """Ids of new rows that stand in the old ones, exactly and nearly."""
    texts, where = dict(new), dict.fromkeys(new, "test")
    for place, example in enumerate(old):
        texts[f"old-{place}"], where[f"old-{place}"] = preparation.compared_text(example), "train"
    for found in overlaps(texts, where):  # type: ignore[arg-type]  # the values are parts
        if (found.source, found.part) == ("train", "test"):
            return [p.row_id for p in found.exact], [p.row_id for p in found.near]
    return [], []


def _unknown(task: str, train: Sequence[Example], examples: Sequence[Example]) -> tuple[list[str], dict[str, int]]:
    """Rows with a label that no training row has: a model cannot get them right, and often they are only misspelt."""
    if not FAMILIES[tasks()[task].family].labels:
        return [], {}
    known = {name for e in train for name in _labels(e)}
    counts = Counter(name for e in examples for name in _labels(e) if name not in known)
    return [e.row_id for e in examples if not known.issuperset(_labels(e))], dict(counts)


def _labels(example: Example) -> tuple[str, ...]:
    return tuple(example.labels or ()) if example.label is None else (example.label,)


def adopt(project: Project, candidate: Candidate, old: Old = "leave") -> DatasetVersion:
    """Make the usable rows the project's test set, in a version that begins a new lineage.

    The rows of the earlier test set are left out of that version, or become training rows; they stay in the earlier version.
    Raises UserError where no row is usable, or where the project's data has changed since the look.
    """
    version, plan = _current(project)
    if version.id != candidate.version_id or plan.id != candidate.plan_id:
        raise UserError(
            "The data has changed in the meantime.",
            "The new rows were compared with another version of it.",
            "Choose the file again, so that they are compared with what is learned now.",
        )
    if not candidate.usable:
        raise UserError(
            "No row is left for a test.",
            "Every row of the file was learned from or seen before, or has an unknown label.",
            "Use rows that were never part of this project.",
        )
    rows = load_table(candidate.content).to_pandas()
    rows = rows[~rows[datasets.ROW_ID].isin(candidate.left_out)]
    before, places = datasets.frame(version), preparation.assignment(plan)
    tested = {row for row, part in places.items() if part == "test"}
    kept = before if old == "train" else before[~before[datasets.ROW_ID].isin(tested)]
    where: dict[str, Split] = {
        row: "train" if part == "test" else part for row, part in places.items() if old == "train" or part != "test"
    }
    where |= dict.fromkeys(rows[datasets.ROW_ID], "test")
    whole = pd.concat([kept, rows.reindex(columns=kept.columns)], ignore_index=True)
    with write():
        made = datasets.add_version(
            project.id,
            whole,
            roles=version.roles,
            title=f"{version.title} (new test set: {candidate.name})"[:200],
            origin={
                "kind": KIND,
                "of": version.id,
                "task": datasets.task_of(version),
                "counts": {"added": len(rows), "dropped": len(before) - len(kept)},
                "old": old,
            },
            report=version.report,
            parent=version,
            lineage=datasets.next_lineage(project.id),
        )
        preparation.with_places(plan, made, where)
        projects.update(project.id)
    health.submit(project.id, made.id)
    return made


def _current(project: Project) -> tuple[DatasetVersion, Plan]:
    version, plan = datasets.current(project), preparation.current(project)
    if version is None or plan is None:
        raise UserError(
            "There is nothing to test against yet.",
            "The project has no data, or it is not divided into parts.",
            "Go to Tokenization and save the plan.",
        )
    return version, plan
