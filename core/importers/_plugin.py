"""What a file format must offer, and what it hands back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

import pyarrow as pa

from core.schemas.imports import ImportNote, ImportOptions


@dataclass
class Reading:
    """The rows of a file: an Arrow table of string columns (see `core/data/tables.py`), lists and records as JSON text.

    `options` are the ones really used; `complete` is False where `limit_rows` stopped the reading.
    """

    table: pa.Table
    options: ImportOptions
    notes: list[ImportNote] = field(default_factory=list)
    complete: bool = True
    sheets: tuple[str, ...] = ()


class Importer(Protocol):
    """A file format. Lower `order` wins where two are equally sure."""

    key: str
    title: str
    order: int

    def matches(self, head: bytes, filename: str) -> float:
        """How sure this format is (0 to 1) from the first 64 KiB and the name. Content counts before the name."""
        ...

    def read(self, file: BinaryIO, filename: str, options: ImportOptions, limit_rows: int | None) -> Reading:
        """Read the file, which can be sought. Raises UserError where it cannot be read as this format."""
        ...
