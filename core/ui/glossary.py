"""Terms in plain words. docs/glossary.md is the only source: what stands there is also the tooltip."""

from __future__ import annotations

import difflib
import re
from functools import cache
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "glossary.md"


def term(name: str) -> str:
    """The explanation of a term, for a `help=`. Capitals do not matter. Raises KeyError for a term that is missing."""
    entries = glossary()
    try:
        return entries[name.lower()]
    except KeyError:
        close = difflib.get_close_matches(name.lower(), entries, n=3)
        hint = f"; similar: {', '.join(close)}" if close else ""
        raise KeyError(f"docs/glossary.md has no entry {name!r}{hint}") from None


@cache
def glossary() -> dict[str, str]:
    """All entries, by term in lower case. A heading such as "Interval (95%)" is also found as "interval"."""
    entries: dict[str, str] = {}
    for heading, body in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE.read_text(encoding="utf-8"), re.M | re.S):
        text = " ".join(body.split())
        entries[heading.lower()] = text
        entries.setdefault(re.sub(r"\s*\(.*?\)", "", heading).lower(), text)
    return entries
