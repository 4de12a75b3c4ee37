"""`python -m core doctor`: what this machine can do, and what is missing."""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
from importlib.metadata import PackageNotFoundError, version

from core.data.hardware import look
from core.store.config import PROJECT_ROOT, database_url, storage_root
from core.store.engine import wal_is_safe

from . import _worker

PACKAGES = ("torch", "transformers", "trl", "peft", "datasets", "streamlit", "sqlalchemy")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def main(options: argparse.Namespace) -> int:
    storage_root().mkdir(parents=True, exist_ok=True)
    hardware = look(storage_root())
    packages = {name: _version(name) for name in PACKAGES}
    facts = {
        "python": sys.version.split()[0],
        "packages": packages,
        "hardware": hardware.model_dump(),
        "sqlite": sqlite3.sqlite_version,
        "journal": "WAL" if wal_is_safe() else "DELETE (this SQLite has the WAL-reset bug)",
        "storage": str(storage_root()),
        "database": database_url().split("://")[0],
        "worker": _worker.alive(),
        "project": str(PROJECT_ROOT),
    }
    if options.json:
        print(json.dumps(facts))
        return 0
    gib = 2**30
    print(f"Python {facts['python']}, SQLite {facts['sqlite']}, journal {facts['journal']}")
    print(", ".join(f"{name} {found}" for name, found in packages.items()))
    memory = f"memory {hardware.memory_free / gib:.1f} of {hardware.memory / gib:.1f} GiB free"
    disk = f"disk {hardware.disk_free / gib:.1f} GiB free"
    print(f"{hardware.title}; {memory}; GPU memory {hardware.gpu_memory / gib:.1f} GiB; {disk}")
    print(f"storage {facts['storage']}; worker {facts['worker'] or 'not running'}")
    return 0
