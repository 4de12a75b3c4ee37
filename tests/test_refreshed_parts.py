"""Parts of screens that draw themselves again and again: a database that does not answer is said in their place."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


def draw(where: str) -> None:
    import importlib
    import sqlite3

    from core.store.engine import DatabaseBusy

    def busy(*_: object, **__: object) -> None:
        cause = sqlite3.OperationalError("database is locked")
        cause.sqlite_errorname = "SQLITE_BUSY"
        raise DatabaseBusy("", {}, cause)

    module, service, name, part = where.split()
    screen = importlib.import_module(f"core.ui.{module}")
    real = getattr(screen, service)
    try:
        setattr(screen, service, type("Busy", (), {name: staticmethod(busy)}))
        getattr(screen, part)("an id", "a title") if module == "jobs" else (
            getattr(screen, part)(None, "an id", "a key") if module == "sweep" else getattr(screen, part)("an id")
        )
    finally:
        setattr(screen, service, real)


@pytest.mark.parametrize(
    "where",
    ["queue queue waiting _panel", "seeds studies get _live", "sweep studies get _live", "jobs status job _live"],
)
def test_a_locked_database_is_said_in_place_and_nothing_breaks(where: str) -> None:
    app = AppTest.from_function(draw, kwargs={"where": where}, default_timeout=30).run()
    assert not app.exception
    assert any("The database is busy." in shown.proto.body for shown in app.get("html"))
