"""What a file format must offer, and what it hands back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from core.data.targets import Target
from core.schemas.imports import ImportNote, ImportOptions, JsonList


@dataclass
class Reading:
    """What is known about a file once its rows went to the target.

    `options` are the ones really used; `complete` is False where the wanted number of rows stopped the reading.
    """

    options: ImportOptions
    notes: list[ImportNote] = field(default_factory=list)
    complete: bool = True
    sheets: tuple[str, ...] = ()
    paths: tuple[JsonList, ...] = ()


class Importer(Protocol):
    """A file format. Lower `order` wins where two are equally sure."""

    key: str
    title: str
    order: int

    def matches(self, head: bytes, filename: str) -> float:
        """How sure this format is (0 to 1) from the first 64 KiB and the name. Content counts before the name."""
        ...

    def read(self, file: BinaryIO, filename: str, options: ImportOptions, target: Target) -> Reading:
        """Read the file, which can be sought, and write its rows to the target piece by piece (`core/data/tables.py` has
        what builds the pieces: string columns, lists and records as JSON text). Raises UserError where it cannot be
        read as this format. What the target raises ends the reading and must come out unchanged."""
        ...
