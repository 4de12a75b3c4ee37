"""The torch half of the formats of `core/exporters`: one file each, with the same key. Each writes the weights into a folder
that already holds the tokenizer, and says how a fresh process reads them again."""

from __future__ import annotations

from core.discovery import discover

from ._writer import Given, Writer

__all__ = ["Given", "Writer", "get"]


def get(key: str) -> Writer:
    found: Writer = discover(__name__)[key]
    return found
