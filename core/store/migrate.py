"""Bring the database to the newest schema. Safe to call at every start and to be killed in the middle."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from .engine import engine

FOLDER = Path(__file__).parent / "migrations"


def alembic_config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def migrate() -> None:
    """Apply all migrations in one transaction: after a kill the database is either old or new, never between."""
    with engine().begin() as connection:
        command.upgrade(alembic_config(connection), "head")
