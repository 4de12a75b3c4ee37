"""Connections: one engine per database address, short transactions, and SQLite set up so that it cannot lose work."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError as DatabaseBusy
from sqlalchemy.orm import Session

from .config import database_url, storage_root

__all__ = ["DatabaseBusy", "engine", "is_locked", "read", "wal_is_safe", "write"]

BUSY_TIMEOUT_SECONDS = 30
# Versions in which the WAL-reset corruption bug is fixed; older ones use the rollback journal.
_WAL_SAFE = ((3, 51, 3), (3, 50, 7), (3, 44, 6))


def wal_is_safe(version: tuple[int, int, int] = sqlite3.sqlite_version_info) -> bool:
    """Whether this SQLite can use write-ahead logging with several connections without risk of corruption."""
    newest, *branches = _WAL_SAFE
    return version >= newest or any(version[:2] == b[:2] and version >= b for b in branches)


def is_locked(error: DatabaseBusy) -> bool:
    """Whether another connection held the lock for too long, so that waiting helps (a full disk is no such case)."""
    return str(getattr(error.orig, "sqlite_errorname", "")).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def engine() -> Engine:
    """The engine for the current database address."""
    return _engine(database_url())


@cache
def _engine(url: str) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url)
    storage_root().mkdir(parents=True, exist_ok=True)
    made = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_SECONDS})
    journal = "WAL" if wal_is_safe() else "DELETE"

    @event.listens_for(made, "connect")
    def _configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not guessed by the driver
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}")
        if connection.execute("PRAGMA journal_mode").fetchone()[0].upper() != journal:
            connection.execute(f"PRAGMA journal_mode = {journal}")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(made, "begin")
    def _begin(connection: Connection) -> None:
        # Taking the write lock at once avoids the deadlock of two readers that both want to write.
        reading = connection.get_execution_options().get("reading")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return made


@contextmanager
def write() -> Iterator[Session]:
    """A session in one write transaction: committed at the end, rolled back on an exception."""
    with Session(engine(), expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def read() -> Iterator[Session]:
    """A session for reading only: sees one consistent state and takes no write lock."""
    with Session(engine().execution_options(reading=True), expire_on_commit=False) as session:
        yield session
