"""Thumbs up or down, as people and programs write them."""

from __future__ import annotations

UP = frozenset("1 1.0 +1 true yes y up good like liked positive desirable 👍 thumbsup".split())
DOWN = frozenset("0 0.0 -1 false no n down bad dislike disliked negative undesirable 👎 thumbsdown".split())


def thumb(text: str) -> bool | None:
    """True for up, False for down, None for anything else. Case, blanks, underscores and skin tones do not matter."""
    plain = "".join(c for c in text.casefold() if not (c.isspace() or c == "_" or "\U0001f3fb" <= c <= "\U0001f3ff"))
    return True if plain in UP else False if plain in DOWN else None
