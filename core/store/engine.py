"""Connections: one engine per database address, short transactions, and SQLite set up so that it cannot lose work."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError as DatabaseBusy
from sqlalchemy.orm import Session

from .config import database_url, storage_root

__all__ = ["DatabaseBusy", "engine", "is_full", "is_locked", "proving", "read", "wal_is_safe", "write"]

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


def is_full(error: DatabaseBusy) -> bool:
    """Whether the disk had no space for a write: nothing was written, and freeing space helps."""
    return getattr(error.orig, "sqlite_errorname", "") == "SQLITE_FULL"


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


_current: ContextVar[Session | None] = ContextVar("current", default=None)
_proof: ContextVar[Callable[[Session], object] | None] = ContextVar("proof", default=None)


@contextmanager
def write() -> Iterator[Session]:
    """A session in one write transaction: committed at the end, rolled back on an exception.

    Inside another `write()` it is the same transaction, so that several calls of `records` become one: all or nothing.
    """
    if (outer := _current.get()) is not None:
        yield outer
        return
    with Session(engine(), expire_on_commit=False) as session, session.begin():
        if (prove := _proof.get()) is not None:
            prove(session)
        token = _current.set(session)
        try:
            yield session
        finally:
            _current.reset(token)


@contextmanager
def read() -> Iterator[Session]:
    """A session for reading only: sees one consistent state and takes no write lock. Inside `write()` it sees its changes."""
    if (outer := _current.get()) is not None:
        yield outer
        return
    with Session(engine().execution_options(reading=True), expire_on_commit=False) as session:
        yield session


@contextmanager
def proving(prove: Callable[[Session], object]) -> Iterator[None]:
    """Within this block every write transaction of this thread begins with `prove(session)`, which may raise."""
    token = _proof.set(prove)
    try:
        yield
    finally:
        _proof.reset(token)
