"""Reading and writing of rows, for services that must not know SQLAlchemy. Rows come back detached: only read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from sqlalchemy import delete, func, literal, select, update

from .engine import read, write
from .tables import Table

R = TypeVar("R", bound=Table)


def get(table: type[R], key: Any) -> R | None:
    """The row with this primary key, or None."""
    with read() as session:
        return session.get(table, key)


def find(table: type[R], *, newest_first: bool = True, limit: int | None = None, **equal: Any) -> list[R]:
    """Rows whose columns equal the given values, by creation time."""
    order = getattr(table, "created_at", None)
    query = select(table).filter_by(**equal).limit(limit)
    if order is not None:
        query = query.order_by(order.desc() if newest_first else order.asc())
    with read() as session:
        return list(session.scalars(query))


def count(table: type[Table], **equal: Any) -> int:
    with read() as session:
        return session.scalar(select(func.count()).select_from(table).filter_by(**equal)) or 0


def present(*tables: type[Table], **equal: Any) -> list[bool]:
    """For each table whether it has such a row: one question for all of them."""
    with read() as session:
        asked = [select(literal(1)).select_from(table).filter_by(**equal).exists() for table in tables]
        return [bool(found) for found in session.execute(select(*asked)).one()]


def add(row: R) -> R:
    """Insert one row and return it with its defaults filled."""
    with write() as session:
        session.add(row)
        session.flush()
    return row


def add_numbered(row: R) -> R:
    """Insert a row of a project under the next free `number` of that project and table."""
    kind: Any = type(row)
    with write() as session:
        highest = session.scalar(select(func.max(kind.number)).filter_by(project_id=row.project_id))  # type: ignore[attr-defined]
        row.number = (highest or 0) + 1  # type: ignore[attr-defined]
        session.add(row)
        session.flush()
    return row


def change(table: type[Table], key: Any, values: Mapping[str, Any]) -> None:
    """Set columns of the row with this id."""
    with write() as session:
        session.execute(update(table).where(table.id == key).values(**values))  # type: ignore[attr-defined]


def merge_json(table: type[Table], key: Any, column: str, values: Mapping[str, Any]) -> None:
    """Set keys inside a JSON column, leaving its other keys as they are, in one transaction."""
    with write() as session:
        row = session.get(table, key)
        if row is not None:
            setattr(row, column, {**(getattr(row, column) or {}), **values})


def upsert(row: Table) -> None:
    """Insert the row, or overwrite the one with the same primary key."""
    with write() as session:
        session.merge(row)


def remove(table: type[Table], **equal: Any) -> int:
    """Delete matching rows (and, by foreign key, what belongs to them). Returns how many matched."""
    with write() as session:
        return session.execute(delete(table).filter_by(**equal)).rowcount  # type: ignore[attr-defined]
