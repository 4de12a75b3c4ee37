"""A database of the newest schema at once: the migrations make one for each test process, every test gets a copy of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import make_url

from core.store.config import database_url
from core.store.engine import engine
from core.store.migrate import migrate


def migrated() -> None:
    """Give the storage in use its database, as a start of the product does. One that is there already is migrated in place."""
    place = make_url(database_url()).database
    assert place is not None
    if Path(place).exists():
        migrate()
        return
    Path(place).parent.mkdir(parents=True, exist_ok=True)
    Path(place).write_bytes(_newest())


@contextmanager
def used(folder: Path) -> Iterator[Path]:
    """Make `folder` the storage in use, with a migrated database of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEWELL_STORAGE", str(folder))
        patch.setenv("TUNEWELL_DATABASE_URL", f"sqlite:///{folder / 'tunewell.db'}")
        migrated()
        yield folder
        engine().dispose()


@cache
def _newest() -> bytes:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        file = Path(folder) / "newest.db"
        patch.setenv("TUNEWELL_DATABASE_URL", f"sqlite:///{file}")
        migrate()
        engine().dispose()
        return file.read_bytes()
