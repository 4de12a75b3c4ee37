"""Settings and words that several audits share."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from core.data.audit_words import listed as listed  # data_coverage takes it from here
from core.data.lexicon import load_lexicon

AXES: tuple[str, ...] = tuple(axis.key for axis in load_lexicon().axes)


def axes_field(default: tuple[str, ...] = AXES) -> Any:
    options: Any = {axis.key: axis.title for axis in load_lexicon().axes}
    return Field(
        default,
        title="What to look at",
        description="Kinds of groups of people whose treatment is compared.",
        json_schema_extra={"level": "basic", "options": options},
    )
