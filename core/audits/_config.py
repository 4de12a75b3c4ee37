"""Settings and words that several audits share."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from core.data.in_words import listed
from core.data.lexicon import load_lexicon

__all__ = ["AXES", "axes_field", "listed"]

AXES: tuple[str, ...] = tuple(axis.key for axis in load_lexicon().axes if axis.swapped)


def axes_field(default: tuple[str, ...] = AXES) -> Any:
    options: Any = {axis.key: axis.title for axis in load_lexicon().axes if axis.swapped}
    return Field(
        default,
        title="What to look at",
        description="Kinds of groups of people whose treatment is compared.",
        json_schema_extra={"level": "basic", "options": options},
    )
