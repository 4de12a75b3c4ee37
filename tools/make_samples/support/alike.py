"""How alike two messages are: the share of their runs of five characters that they have in common."""

from __future__ import annotations


def shingles(text: str) -> frozenset[str]:
    """All runs of five characters of the text in lower case, with white space collapsed."""
    text = " ".join(text.lower().split())
    return frozenset(text[i : i + 5] for i in range(max(1, len(text) - 4)))


def jaccard(left: frozenset[str], right: frozenset[str]) -> float:
    shared = len(left & right)
    return shared / (len(left) + len(right) - shared)
