"""The rows of a project as plain objects and back: every table that hangs on a project, one added later included.

Jobs at work, uploads, exported models and checkpoints stay behind: they are of this machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.schemas.jobs import JobKind, JobState

from .engine import read
from .tables import Run, Table

LEFT_OUT = {"job", "upload", "export", "batch", "checkpoint", "base_model", "model_knowing"}
ID = re.compile(r"\b[0-9a-f]{12}\b")
PLAIN_ID = re.compile(r"[0-9a-f]{12}")
TRAININGS = (JobKind.TRAIN.value, JobKind.MITIGATE.value)
FINAL = [state.value for state in JobState if state.final]
AT_ONCE = 500
_CLASSES = {mapper.class_.__tablename__: mapper.class_ for mapper in Table.registry.mappers}


class BadRows(ValueError):
    """What is wrong with rows that came from outside. `newer`: they have something that this version does not know."""

    def __init__(self, what: str, newer: bool = False) -> None:
        super().__init__(what)
        self.newer = newer


def names() -> list[str]:
    """The tables of a project, parents first; finished jobs of its runs come before the runs."""
    tied = {"project"}
    found = ["project", "job"]
    for table in Table.metadata.sorted_tables:
        if table.name in LEFT_OUT | {"project"}:
            continue
        if "project_id" in table.columns or any(key.column.table.name in tied for key in table.foreign_keys):
            tied.add(table.name)
            found.append(table.name)
    return found


def dump(project_id: str, write: Callable[[str, Mapping[str, Any]], None]) -> None:
    """Hand every row of the project to `write` with the name of its table. One moment's state, read in one go."""
    ids: dict[str, list[str]] = {"project": [project_id]}
    with read() as session:
        for name in names():
            for row in session.execute(_query(session, name, project_id, ids).execution_options(yield_per=AT_ONCE)):
                plain = dict(row._mapping)
                if name == "run_event":
                    del plain["id"]
                if "job_id" in plain and plain["job_id"] not in ids["job"]:
                    plain["job_id"] = None
                if "id" in plain:
                    ids.setdefault(name, []).append(plain["id"])
                write(name, plain)
            ids.setdefault(name, [])


def _query(session: Session, name: str, project_id: str, ids: Mapping[str, list[str]]) -> Any:
    table = Table.metadata.tables[name]
    if name == "job":
        of_runs = select(Run.job_id).where(Run.project_id == project_id)
        return select(table).where(table.c.id.in_(of_runs), table.c.state.in_(FINAL))
    if name == "project":
        return select(table).where(table.c.id == project_id)
    if "project_id" in table.columns:
        order = [table.c.created_at] if "created_at" in table.columns else []
        return select(table).where(table.c.project_id == project_id).order_by(*order)
    key = next(key for key in table.foreign_keys if key.column.table.name in ids)
    return select(table).where(key.parent.in_(ids[key.column.table.name]))


def check(name: str, row: Any) -> dict[str, Any]:
    """The row, if this version could have written it. Raises BadRows."""
    table = Table.metadata.tables.get(name)
    if table is None or name not in names():
        raise BadRows(f"the table {name[:40]!r} is not known", newer=True)
    if not isinstance(row, dict):
        raise BadRows(f"a row of {name} is no object")
    for column, value in row.items():
        if column not in table.columns:
            raise BadRows(f"the column {name}.{str(column)[:40]!r} is not known", newer=True)
        if not _fits(name, column, value):
            raise BadRows(f"{name}.{column} holds something else than it should")
    missing = [c.name for c in table.columns if c.name not in row and not _can_be_left_out(c)]
    if missing:
        raise BadRows(f"a row of {name} lacks {missing[0]}")
    if name == "job" and (row["state"] not in FINAL or row["kind"] not in TRAININGS):
        raise BadRows("it holds work that is still to be done")
    if "id" in row and not PLAIN_ID.fullmatch(row["id"]):
        raise BadRows(f"a row of {name} has an id of another kind")
    if row.get("start_run_id") and not PLAIN_ID.fullmatch(str(row["start_run_id"])):  # it names a folder
        raise BadRows("a round begins at something that is no round")
    return row


def ties(name: str) -> dict[str, str]:
    """Columns of a table that name a row of another table, with that table. Those of tables that stay behind are left out."""
    table = Table.metadata.tables[name]
    found = {key.parent.name: key.column.table.name for key in table.foreign_keys}
    return {column: target for column, target in found.items() if target not in LEFT_OUT}


def _can_be_left_out(column: Any) -> bool:
    return bool(
        column.nullable
        or column.default is not None
        or column.server_default is not None
        or column.autoincrement is True
    )


def _fits(name: str, column: str, value: Any) -> bool:
    kind = Table.metadata.tables[name].c[column]
    if value is None:
        return bool(kind.nullable)
    wanted = kind.type.python_type
    if wanted is dict:
        return isinstance(value, list if "list[" in str(_CLASSES[name].__annotations__.get(column)) else dict)
    if wanted is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is wanted


def taken(ids: Iterable[str]) -> bool:
    """Whether any of these names something here already."""
    wanted = list(ids)
    with read() as session:
        for table in Table.metadata.sorted_tables:
            if "id" not in table.columns or table.name == "run_event":
                continue
            for start in range(0, len(wanted), AT_ONCE):
                part = wanted[start : start + AT_ONCE]
                if session.execute(select(table.c.id).where(table.c.id.in_(part)).limit(1)).first():
                    return True
    return False


def renamed(row: Mapping[str, Any], new: Mapping[str, str]) -> dict[str, Any]:
    """The row with ids replaced wherever they stand."""
    if not new:
        return dict(row)
    return dict(json.loads(ID.sub(lambda found: new.get(found[0], found[0]), json.dumps(row))))


def insert_all(session: Session, name: str, rows: Iterator[Mapping[str, Any]]) -> None:
    """Insert the rows into a table of `names`, in the session's transaction. Raises BadRows where they do not hang together."""
    table = Table.metadata.tables[name]
    held: list[Mapping[str, Any]] = []

    def put() -> None:
        if not held:
            return
        try:
            session.execute(insert(table), held)
        except IntegrityError as error:
            raise BadRows(f"its records of {name} do not hang together") from error
        held.clear()

    for row in rows:
        if held and (len(held) >= AT_ONCE or held[0].keys() != row.keys()):
            put()
        held.append(row)
    put()
