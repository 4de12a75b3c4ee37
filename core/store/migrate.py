"""Bring the database to the newest schema. Safe to call at every start and to be killed in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from .engine import engine

FOLDER = Path(__file__).parent / "migrations"


def alembic_config(connection: Connection, folder: Path = FOLDER) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def migrate(folder: Path = FOLDER) -> None:
    """Apply all migrations in one transaction: after a kill the database is either old or new, never between."""
    with engine().connect() as connection, _without_cascades(connection), connection.begin():
        command.upgrade(alembic_config(connection, folder), "head")


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
