"""What a corrective action against bias declares, and what one that adds rows hands back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Literal, Protocol

from .audits import AuditFamily
from .base import Schema
from .examples import Example

Changes = Literal["data", "training", "output"]


class SwapPreview(Schema):
    """One row that would be added, beside the row it comes from. Striking `row_id` leaves it out."""

    row_id: str
    source_id: str
    axis: str
    from_group: str
    to_group: str
    before: str
    after: str
    label: str | None = None
    replaced: tuple[tuple[str, str], ...]


class Augmented(Schema):
    """`examples` are the new rows only. `sources` maps each to the row it was made from: both belong to one cluster, so
    that no split may part them. `left_out` counts, with reasons in words, the rows that got no copy."""

    examples: tuple[Example, ...]
    sources: dict[str, str]
    left_out: dict[str, int] = {}


class Mitigation(Protocol):
    """One plug-in of `core/mitigations`. `changes` says what it touches, `verify_with` names the audits whose gap must
    shrink (see `core/data/gates.py`)."""

    key: str
    title: str
    help: str
    order: int
    families: tuple[AuditFamily, ...]
    config: type[Schema]
    changes: Changes
    verify_with: tuple[str, ...]


class DataMitigation(Mitigation, Protocol):
    """An action that adds rows to the training split."""

    def preview(self, examples: Sequence[Example], config: Any, n: int = 20) -> list[SwapPreview]: ...

    def apply(
        self, examples: Sequence[Example], config: Any, struck: Collection[str] = ..., held_out: Sequence[Example] = ...
    ) -> Augmented: ...
