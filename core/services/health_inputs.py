"""What the health report looks at: the rows of a version one by one, and what is known around them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from core import importers
from core.data.health import Around, Earlier, Tokens
from core.data.health_rows import reason_of
from core.data.lengths import suggested_max_length
from core.data.lexicon import load_lexicon
from core.data.splitting import part_named
from core.schemas.errors import UserError
from core.schemas.examples import Example, Split
from core.schemas.imports import ColumnKind, ImportOptions
from core.schemas.plan import PreparationPlan
from core.store import records
from core.store.files import column_names, keep_stream, keep_table, load_table, upload_path
from core.store.tables import DatasetVersion, Plan, Project
from core.tasks import registry as tasks

from . import datasets, identity_words, models, preparation, projects, rows

REAL_TEXTS = "real_texts"  # key of the project's settings: the content hash of the table of texts from real use
BATCH = 20_000  # rows read at once
MEASURED = 3_000  # rows whose length in tokens is measured
MOST_CATEGORIES, MOST_EXPLAINED = (
    6,
    200_000,
)  # columns, and rows, in which an explanation for a difference is looked for
MOST_GROUPS, MOST_PARTS = 12, 50  # different values of a column that groups people, or names parts


def stream(
    version: DatasetVersion, task: str, skipped: dict[str, str], progress: Callable[[int], None] = lambda done: None
) -> Iterator[Example]:
    """The examples in file order; a row that becomes none is put into `skipped` with the reason. Only the columns that
    the task uses are read, a batch at a time."""
    make = tasks()[task].to_example
    roles = {role: column for role, column in version.roles.items() if column}
    table = load_table(version.content, [datasets.ROW_ID, *dict.fromkeys(roles.values())])
    done = 0
    for batch in table.to_batches(max_chunksize=BATCH):
        progress(done)
        columns = batch.to_pydict()
        ids = columns.pop(datasets.ROW_ID)
        for i, row_id in enumerate(ids):
            row = {name: values[i] for name, values in columns.items()}
            example = make(row, roles, row_id)
            if example is None:
                skipped[row_id] = reason_of(row, roles)
            else:
                yield example
        done += len(ids)


def around(project: Project, version: DatasetVersion) -> Around:
    """Split, texts from real use, lengths in tokens, earlier versions and columns that group people."""
    where, parted_by = parts(version)
    return Around(
        columns=dict(version.roles),
        where=where,
        parted_by=parted_by,
        real_texts=real_texts(project),
        tokens=token_lengths(project, version),
        earlier=earlier(version),
        groups=groups(version),
        categories=categories(version),
        own_words=identity_words.all_of(project),
        as_written=as_written(version),
    )


def as_written(version: DatasetVersion) -> dict[str, int]:
    """Different labels, and rows that repeat another in every role, as the cells are in the file."""
    columns = list(dict.fromkeys(column for column in version.roles.values() if column))
    table = load_table(version.content, columns)
    filled = table.filter(pc.invert(pc.is_null(table[columns[0]])))
    found = {"copies": filled.num_rows - filled.group_by(columns).aggregate([]).num_rows}
    if label := version.roles.get("label"):
        found["labels"] = sum(1 for value in pc.unique(table[label]).to_pylist() if value and value.strip())
    return found


# -- the split ---------------------------------------------------------------------------------------------------------


def plan_of(version: DatasetVersion) -> Plan | None:
    """The newest split of the version's lineage: where rows were placed once, later versions leave them."""
    same = {v.id for v in datasets.versions(version.project_id) if v.lineage == version.lineage}
    plans = records.find(Plan, project_id=version.project_id)
    own = next((p for p in plans if p.dataset_version_id == version.id), None)
    return own or next((p for p in plans if p.dataset_version_id in same), None)


def parts(version: DatasetVersion) -> tuple[dict[str, Split], str]:
    """Row id to part, and who says so: the saved split, or before there is one, a column or the files that name parts."""
    plan = plan_of(version)
    if plan is not None:
        return preparation.assignment(plan), "the split of this project"
    for column, values in _other_columns(version, MOST_PARTS):
        named = {value: part_named(value) for value in values}
        if None not in named.values() and "train" in named.values() and len(set(named.values())) > 1:
            cells = load_table(version.content, [datasets.ROW_ID, column])
            where: dict[str, Split] = {}
            for row_id, value in zip(cells[datasets.ROW_ID].to_pylist(), cells[column].to_pylist(), strict=True):
                if (part := named.get(value or "")) is not None:
                    where[row_id] = part
            return where, "the files they came from" if column == datasets.PART else f"the column “{column}”"
    return {}, ""


def groups(version: DatasetVersion) -> dict[str, dict[str, str]]:
    """Columns such as “gender” or “age” with a few values: column to row id to value."""
    found: dict[str, dict[str, str]] = {}
    for column, _ in _other_columns(version, MOST_GROUPS):
        if column != datasets.PART and names_people(column):
            cells = load_table(version.content, [datasets.ROW_ID, column])
            pairs = zip(cells[datasets.ROW_ID].to_pylist(), cells[column].to_pylist(), strict=True)
            found[column] = {row_id: value for row_id, value in pairs if value}
    return found


def names_people(column: str) -> bool:
    """Whether a column's name speaks of a kind of group, such as “gender” or “age_group”."""
    telling = {word for axis in load_lexicon().axes for word in (axis.key, *axis.label_words)}
    return bool(set(column.lower().replace("-", "_").replace(" ", "_").split("_")) & telling)


def categories(version: DatasetVersion) -> dict[str, dict[str, str]]:
    """Other columns with a few values, which may explain why groups differ; none of them in very large files."""
    if version.rows > MOST_EXPLAINED:
        return {}
    found: dict[str, dict[str, str]] = {}
    for column, _ in islice(_other_columns(version, MOST_GROUPS), MOST_CATEGORIES):
        if column != datasets.PART:
            cells = load_table(version.content, [datasets.ROW_ID, column])
            pairs = zip(cells[datasets.ROW_ID].to_pylist(), cells[column].to_pylist(), strict=True)
            found[column] = {row_id: value for row_id, value in pairs if value}
    return found


def _other_columns(version: DatasetVersion, most: int) -> Iterator[tuple[str, Sequence[str]]]:
    """Columns that no role uses and that have 2 to `most` different values, with these values."""
    used = {datasets.ROW_ID, *version.roles.values()}
    for column in column_names(version.content):
        if column not in used:
            values = [value for value in pc.unique(load_table(version.content, [column])[column]).to_pylist() if value]
            if 2 <= len(values) <= most:
                yield column, values


# -- lengths in tokens -------------------------------------------------------------------------------------------------


def token_lengths(project: Project, version: DatasetVersion) -> Tokens | None:
    """Lengths of a sample with the chosen model's tokenizer, before anything is cut; None where no model is chosen."""
    if not project.base_model_key or not project.task:
        return None
    plan = plan_of(version)
    config = PreparationPlan.model_validate(plan.config) if plan else PreparationPlan()
    try:
        facts = models.get(project.base_model_key)
        sample = rows.spread(version, project.task, MEASURED)
        counts = preparation.codec(project, config).lengths(sample) if sample else []
    except UserError:
        return None  # the model is not on this machine any more: its own screen says so
    longest = config.max_length if plan else suggested_max_length(counts, facts.context_length)
    return Tokens(
        model=facts.title,
        row_ids=[example.row_id for example in sample],
        counts=counts,
        rows=version.rows,
        max_length=longest,
        planned=plan is not None,
        context_length=facts.context_length or 0,
        cuts_answers=plan is not None and tasks()[project.task].conversational and config.truncation_side == "right",
    )


# -- earlier versions --------------------------------------------------------------------------------------------------


def earlier(version: DatasetVersion) -> list[Earlier]:
    """What earlier versions of the project measured of their variety, oldest first."""
    found = []
    for other in reversed(datasets.versions(version.project_id)):
        if other.number < version.number and other.health:
            measures = _measures(other.health)
            if measures:
                found.append(Earlier(other.number, measures))
    return found


def _measures(report: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    return next((f["data"]["measures"] for f in report["findings"] if "measures" in f["data"]), {})


# -- texts from real use -----------------------------------------------------------------------------------------------


def real_texts(project: Project) -> list[str]:
    """The texts from real use that were added to the project."""
    content = project.settings.get(REAL_TEXTS)
    return [text for text in load_table(content)["text"].to_pylist() if text] if content else []


def keep_real_texts(project_id: str, texts: Sequence[str]) -> int:
    """Keep these texts (blank ones left out) in place of the earlier ones. Returns how many; none removes them."""
    kept = [text.strip() for text in texts if text.strip()]
    content = keep_table(pa.table({"text": pa.array(kept, pa.string())})) if kept else None
    projects.settings(project_id, **{REAL_TEXTS: content})
    return len(kept)


def read_texts(filename: str, data: bytes, column: str = "") -> list[str]:
    """The texts of a file: the named column where it has one, else the column that looks most like texts.

    Raises UserError where the file cannot be read or holds no texts.
    """
    upload, _ = keep_stream(io.BytesIO(data))
    report = importers.inspect(upload_path(upload), filename, ImportOptions())
    names = [c.name for c in report.columns]
    texts = sorted((c for c in report.columns if c.kind is ColumnKind.TEXT), key=lambda c: -c.mean_length)
    chosen = column if column in names else texts[0].name if texts else names[0] if len(names) == 1 else ""
    if not chosen:
        raise UserError(
            "The file holds no texts.",
            f"None of its columns looks like texts: {', '.join(names)}.",
            "Choose another file.",
        )
    table, _ = importers.read(upload_path(upload), filename, report.options)
    return [text for text in table[chosen].to_pylist() if text]
