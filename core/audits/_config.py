"""Settings and words that several audits share."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from core.data.lexicon import load_lexicon

AXES: tuple[str, ...] = tuple(axis.key for axis in load_lexicon().axes if axis.swapped)


def axes_field(default: tuple[str, ...] = AXES) -> Any:
    options: Any = {axis.key: axis.title for axis in load_lexicon().axes if axis.swapped}
    return Field(
        default,
        title="What to look at",
        description="Kinds of groups of people whose treatment is compared.",
        json_schema_extra={"level": "basic", "options": options},
    )


def rows_field() -> Any:
    return Field(
        2000,
        title="Rows at most",
        description="More rows make the result more certain and take longer.",
        ge=30,
        json_schema_extra={"level": "advanced"},
    )
