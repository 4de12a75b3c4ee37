"""Bring the database to the newest schema. Safe to call at every start and to be killed in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from .engine import engine

if TYPE_CHECKING:
    from alembic.config import Config

FOLDER = Path(__file__).parent / "migrations"


def alembic_config(connection: Connection, folder: Path = FOLDER) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def migrate(folder: Path = FOLDER) -> None:
    """Apply all migrations in one transaction: after a kill the database is either old or new, never between."""
    if is_newest(folder):
        return
    from alembic import command

    with engine().connect() as connection, _without_cascades(connection), connection.begin():
        command.upgrade(alembic_config(connection, folder), "head")


def is_newest(folder: Path = FOLDER) -> bool:
    """Whether there is nothing to migrate: the usual start, which then neither waits for alembic (half a second of
    imports) nor takes the write lock. A migration's file is named after its revision, and the newest comes last."""
    newest = max(file.stem.partition("_")[0] for file in (folder / "versions").glob("*.py"))
    with engine().execution_options(reading=True).connect() as connection:
        if not connection.dialect.has_table(connection, "alembic_version"):
            return False
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [newest]


@contextmanager
def _without_cascades(connection: Connection) -> Iterator[None]:
    """SQLite changes a table by copying and dropping it, and a drop would cascade to every row that belongs to it."""
    if connection.dialect.name != "sqlite":
        yield
        return
    raw: Any = connection.connection.dbapi_connection
    raw.execute("PRAGMA foreign_keys = OFF")  # has no effect inside a transaction, so it comes before
    try:
        yield
    finally:
        raw.execute("PRAGMA foreign_keys = ON")
