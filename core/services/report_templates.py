"""The templates of the reports to print. Every text that is put in is escaped, and a name that is missing is an error."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from core.store.config import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "assets" / "report"


def filled(template: str, values: dict[str, Any]) -> str:
    """The template of this name with the values."""
    return str(_environment().get_template(template).render(**values))


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
