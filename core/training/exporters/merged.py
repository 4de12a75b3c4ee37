"""The whole model as it was tested."""

from __future__ import annotations

from pathlib import Path

from ._writer import Given, Writer


def _write(given: Given, folder: Path) -> None:
    given.merged().save_pretrained(folder, safe_serialization=True)


PLUGIN = Writer("merged", _write)
