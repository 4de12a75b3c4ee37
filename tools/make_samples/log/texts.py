"""The entries of the log, as the bytes of one JSON Lines file."""

from __future__ import annotations

import json

from ..template import tidy
from . import autumn, spring, summer, winter

ENTRIES: tuple[tuple[str, str], ...] = (*winter.ENTRIES, *spring.ENTRIES, *summer.ENTRIES, *autumn.ENTRIES)


def make() -> bytes:
    """One line an entry: its date as the title, and the text as one paragraph."""
    rows = ({"title": title, "text": tidy(text)} for title, text in ENTRIES)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
