"""Preparation plans: the split, fixed once for each lineage, and how examples become tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import pyarrow as pa

from core.data.encoding import Codec
from core.data.fixes import CHUNK_OF
from core.data.lengths import kept
from core.data.split_advice import Groups, Suggestion, groups_of, names_parts, suggest
from core.data.splitting import SplitRow, split
from core.schemas.errors import UserError
from core.schemas.examples import SPLITS, Example, Split
from core.schemas.plan import PreparationPlan, SplitPlan
from core.store import records
from core.store.files import keep_table, load_table
from core.store.tables import DatasetVersion, Plan, Project
from core.tasks import registry as tasks

from . import datasets, models, rows


def current(project: Project) -> Plan | None:
    """The newest plan for the project's current dataset version, if any."""
    if not project.dataset_version_id:
        return None
    found = records.find(Plan, project_id=project.id, dataset_version_id=project.dataset_version_id, limit=1)
    return found[0] if found else None


def get_plan(plan_id: str) -> Plan:
    plan = records.get(Plan, plan_id)
    if plan is None:
        raise UserError("The data is not prepared yet.", "No split was made.", "Go to Tokenization and save the plan.")
    return plan


def first_plan(version: DatasetVersion) -> PreparationPlan:
    """Where a person begins: the files as they were given where each is for one part, else a stratified split."""
    frame = datasets.frame(version)
    if datasets.PART in frame.columns and names_parts(list(frame[datasets.PART])):
        return PreparationPlan(split=SplitPlan(strategy="given", column=datasets.PART))
    return PreparationPlan()


def suggestions(version: DatasetVersion) -> list[Suggestion]:
    """Ways of splitting that fit this data, the most important first."""
    near = (version.health or {}).get("counts", {}).get("near_copies", 0)
    return _suggestions(version.id, int(near))


@lru_cache(maxsize=16)
def _suggestions(version_id: str, near: int) -> list[Suggestion]:
    version = datasets.get_version(version_id)
    frame = datasets.frame(version)
    used = {datasets.ROW_ID, CHUNK_OF, *version.roles.values()}
    columns = {str(name): list(frame[name]) for name in frame.columns if name not in used}
    return suggest(columns, near, len(frame), files=datasets.PART)


def groups(version: DatasetVersion, column: str) -> Groups:
    """The values of a column as groups of rows."""
    return _groups(version.id, column)


@lru_cache(maxsize=32)
def _groups(version_id: str, column: str) -> Groups:
    return groups_of(list(datasets.frame(datasets.get_version(version_id))[column]))


def assignment(plan: Plan) -> dict[str, Split]:
    """Row id to split."""
    table = load_table(plan.content)
    return dict(zip(table["row_id"].to_pylist(), table["split"].to_pylist(), strict=True))


def fixed(version: DatasetVersion) -> dict[str, Split]:
    """Where rows of this lineage were put before: membership is fixed once, fixes never move a row.

    A row that a later version dropped is known from an older plan, so that it is where it was when the fix is undone.
    The pieces of a row that was cut are where it was.
    """
    same = {v.id for v in datasets.versions(version.project_id) if v.lineage == version.lineage}
    where: dict[str, Split] = {}
    for content in dict.fromkeys(
        p.content for p in records.find(Plan, project_id=version.project_id) if p.dataset_version_id in same
    ):
        table = load_table(content)
        earlier = zip(table["row_id"].to_pylist(), table["split"].to_pylist(), strict=True)
        where = {**dict(earlier), **where}
    if where:
        where |= {row: where[whole] for row, whole in wholes(version).items() if row not in where and whole in where}
    return where


def wholes(version: DatasetVersion) -> dict[str, str]:
    """Row id to the row that it was made from, for pieces that a fix has cut from a long text and for copies that a corrective
    action has made of a row; that row too, where it is still there. All of one whole belong to one part of every split."""
    frame = datasets.frame(version)
    made_from = _copied(version)
    if CHUNK_OF in frame.columns:
        pieces = frame[frame[CHUNK_OF].notna()]
        made_from |= dict(zip(pieces[datasets.ROW_ID], pieces[CHUNK_OF], strict=True))
    if not made_from:
        return {}
    there = set(frame[datasets.ROW_ID])
    found = {row: _first(row, made_from) for row in made_from if row in there}
    return found | {whole: whole for whole in found.values() if whole in there}


def _copied(version: DatasetVersion) -> dict[str, str]:
    """Copy to the row that it was made of, from all the corrective actions that led to this version."""
    found: dict[str, str] = {}
    at: DatasetVersion | None = version
    while at is not None:
        if at.origin.get("kind") == "correction":
            found |= at.origin.get("sources") or {}
        at = records.get(DatasetVersion, at.parent_id) if at.parent_id else None
    return found


def _first(row: str, made_from: Mapping[str, str]) -> str:
    """The row that it all began with: of a piece of a copy, that of the copy."""
    seen = {row}
    while (row := made_from.get(row, row)) not in seen:
        seen.add(row)
    return row


def save(project: Project, plan: PreparationPlan) -> Plan:
    """Split the current dataset version under the plan and keep both.

    Rows that were placed before stay where they are, whatever the plan says: `new_split` draws anew.
    """
    return _save(project, plan, keep=True)


def new_split(project: Project, plan: PreparationPlan) -> Plan:
    """Draw the split anew. This starts a new lineage: later scores are not compared with earlier ones."""
    version = datasets.current(project)
    if version is not None and fixed(version):
        copy = DatasetVersion(
            project_id=project.id,
            parent_id=version.id,
            lineage=datasets.next_lineage(project.id),
            title=f"{version.title} (new split)",
            content=version.content,
            rows=version.rows,
            roles=version.roles,
            origin={"kind": "new split", "of": version.id},
            report=version.report,
            health=version.health,
        )
        copy = records.add_numbered(copy)
        records.change(Project, project.id, {"dataset_version_id": copy.id})
        project = records.get(Project, project.id) or project
    return _save(project, plan, keep=False)


def _save(project: Project, plan: PreparationPlan, *, keep: bool) -> Plan:
    version = datasets.current(project)
    if version is None or not project.task:
        raise UserError(
            "There is no dataset yet.", "Nothing has been imported.", "Go to Dataset and add your examples."
        )
    examples, _ = datasets.examples(version, project.task)
    where = split(_rows(version, examples, plan), plan.split, fixed(version) if keep else {})
    table = pa.table({"row_id": list(where), "split": list(where.values())})
    counts: dict[str, Any] = {name: n for name, n in Counter(where.values()).items()}
    made = Plan(
        project_id=project.id,
        dataset_version_id=version.id,
        config=plan.model_dump(mode="json"),
        counts={name: counts.get(name, 0) for name in SPLITS},
        content=keep_table(table),
    )
    return records.add(made)


def extend(plan: Plan, version: DatasetVersion, added: Iterable[str], without: Iterable[str] = ()) -> Plan:
    """The same split for a version that only gained rows, all of them for training, and lost those in `without`."""
    gone = set(without)
    kept = {row: part for row, part in assignment(plan).items() if row not in gone}
    return with_places(plan, version, {**kept, **dict.fromkeys(added, "train")})


def with_places(plan: Plan, version: DatasetVersion, where: Mapping[str, Split]) -> Plan:
    """The same plan for another version, with the rows in these parts."""
    counts = Counter(where.values())
    made = Plan(
        project_id=plan.project_id,
        dataset_version_id=version.id,
        config=plan.config,
        counts={name: counts.get(name, 0) for name in SPLITS},
        content=keep_table(pa.table({"row_id": list(where), "split": list(where.values())})),
    )
    return records.add(made)


def carry_over(project_id: str, before: DatasetVersion, after: DatasetVersion) -> None:
    """After a fix: the same plan for the new version, so that training can go on at once."""
    found = records.find(Plan, project_id=project_id, dataset_version_id=before.id, limit=1)
    project = records.get(Project, project_id)
    if found and project is not None:
        save(project, PreparationPlan.model_validate(found[0].config))


def _rows(version: DatasetVersion, examples: list[Example], plan: PreparationPlan) -> list[SplitRow]:
    values: Mapping[str, Any] = {}
    if plan.split.column:
        frame = datasets.frame(version)
        if plan.split.column not in frame.columns:
            raise UserError(
                "The column to split by is not there.",
                f"The dataset has no column {plan.split.column!r}.",
                "Choose another column, or split at random.",
            )
        values = dict(zip(frame[datasets.ROW_ID], frame[plan.split.column], strict=True))
    pieces = wholes(version)
    both = {e.liked for e in examples} >= {True, False}
    labels = {e.row_id: ("up" if e.liked else "down") if both and e.liked is not None else e.label for e in examples}
    return [
        SplitRow(
            e.row_id,
            labels.get(e.row_id),
            _text(values.get(e.row_id)),
            compared_text(e),
            pieces.get(e.row_id),
            e.labels,
        )
        for e in examples
    ]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def compared_text(example: Example) -> str:
    """What decides whether two rows repeat one another: the text, or all that was said before the last answer."""
    return example.text or "\n".join(m.content for m in example.prompt)


def parts(plan: Plan, task: str) -> dict[Split, list[Example]]:
    """The examples of each split, in file order."""
    where = assignment(plan)
    version = datasets.get_version(plan.dataset_version_id)
    out: dict[Split, list[Example]] = {name: [] for name in SPLITS}
    for example in datasets.examples(version, task)[0]:
        if example.row_id in where:
            out[where[example.row_id]].append(example)
    return out


def labels(plan: Plan, task: str) -> tuple[str, ...]:
    """Class names in a fixed order: sorted, over all splits."""
    rows = [e for part in parts(plan, task).values() for e in part]
    return tuple(
        sorted({e.label for e in rows if e.label is not None} | {name for e in rows for name in e.labels or ()})
    )


def codec(project: Project, plan: PreparationPlan) -> Codec:
    """The encoder that the Tokenization screen and the training share."""
    facts = models.get(project.base_model_key)
    return Codec.from_folder(facts.folder, tasks()[project.task or "completion"].family, plan)


def training_tokens(project: Project, plan: Plan, sample: int = 2000) -> tuple[int, int]:
    """(tokens, rows) of the training part after cutting; beyond `sample` rows the tokens are extrapolated."""
    return _training_tokens(plan.id, project.task or "completion", models.get(project.base_model_key).folder, sample)


@lru_cache(maxsize=16)
def _training_tokens(plan_id: str, task: str, folder: str, sample: int) -> tuple[int, int]:
    plan = get_plan(plan_id)
    config = PreparationPlan.model_validate(plan.config)
    version = datasets.get_version(plan.dataset_version_id)
    where = assignment(plan)
    places = [i for i, row_id in enumerate(datasets.frame(version)[datasets.ROW_ID]) if where.get(row_id) == "train"]
    every = [places[i * len(places) // sample] for i in range(sample)] if len(places) > sample else places
    chosen = [example for example in rows.at(version, task, every) if example is not None]
    encoder = Codec.from_folder(folder, tasks()[task].family, config)
    others = [other for example in chosen if (other := example.other) is not None]  # a pair is two conversations
    lengths = kept(
        encoder.lengths([*chosen, *others]),
        config.max_length,
        in_parts=tasks()[task].key == "completion",
        opening=encoder.opening,
        overlap=config.chunk_overlap,
    )
    return round(sum(lengths) * len(places) / max(1, len(chosen))), len(places)
