"""Measures that keep the messages honest: how alike two of them are, and how far a word leans to one category."""

from __future__ import annotations

import re
from collections import Counter, defaultdict


def shingles(text: str) -> frozenset[str]:
    """All runs of five characters of the text in lower case, with white space collapsed."""
    text = " ".join(text.lower().split())
    return frozenset(text[i : i + 5] for i in range(max(1, len(text) - 4)))


def jaccard(left: frozenset[str], right: frozenset[str]) -> float:
    shared = len(left & right)
    return shared / (len(left) + len(right) - shared)


class Balance:
    """Remembers in which categories each word was used, to choose remarks that keep a word from deciding alone."""

    def __init__(self) -> None:
        self._seen: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add(self, text: str, category: str) -> None:
        for word in _words(text):
            self._seen[word][category] += 1

    def use(self, text: str, category: str) -> float:
        """How much the text would help in this category: high when its words lean to others."""
        words = sorted(_words(text))
        return sum(self._pull(word, category) for word in words) / max(1, len(words)) ** 0.5

    def _pull(self, word: str, category: str) -> float:
        seen = self._seen[word]
        total = seen.total()
        if total < 4:  # too rare to lean
            return 0.0
        top = max(seen, key=lambda category: (seen[category], category))
        lean = max(0.0, seen[top] / total - 0.5) * min(total, 40) / 40
        return lean if top != category else -lean


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w\w+", text.lower()))
