"""Whether anybody wrote to the database since it was last asked: a question that costs SQLite next to nothing."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy.engine import make_url

from .config import database_url


class Changes:
    """For one thread, which asks often. `PRAGMA data_version` moves when another connection has written (sqlite.org/pragma.html);
    this one never writes, so that every write counts. Another kind of database always answers yes."""

    def __init__(self) -> None:
        self._connection: sqlite3.Connection | None = None
        self._version = -1

    def any(self) -> bool:
        """Also yes where the database does not answer at once: whoever then reads it waits, or learns why."""
        address = make_url(database_url())
        if address.get_backend_name() != "sqlite" or not address.database:
            return True
        try:
            if self._connection is None:
                place = f"{Path(address.database).absolute().as_uri()}?mode=rw"  # a file that is gone is not made anew
                self._connection = sqlite3.connect(place, timeout=0, uri=True)
            version = int(self._connection.execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.OperationalError:
            return True
        changed, self._version = version != self._version, version
        return changed

    def forget(self) -> None:
        """What was said last did not lead to a reading: say it again."""
        self._version = -1

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
