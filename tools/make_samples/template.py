"""A tiny template language: `{a|b}` chooses one part (nesting is allowed), `[slot]` is filled from a mapping."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
_CHOICE = re.compile(r"\{([^{}]*)\}")
_SLOT = re.compile(r"\[(\w+)\]")
_SENTENCE_START = re.compile(r"(^|[.!?] )([\"'(]*)([a-z])")


def choose(template: str, rng: random.Random) -> str:
    """Resolve every `{a|b}`, innermost first."""
    while _CHOICE.search(template):
        template = _CHOICE.sub(lambda match: rng.choice(match[1].split("|")), template)
    return template


def fill(template: str, slots: Mapping[str, str]) -> str:
    """Replace every `[slot]`. Raises KeyError for a slot that is not in the mapping."""
    return _SLOT.sub(lambda match: slots[match[1]], template)


def tidy(text: str) -> str:
    """Mend the spaces that empty choices leave behind."""
    text = re.sub(r"\s+", " ", text)
    return re.sub(r" ([.,;:!?])(?=\s|$)", r"\1", text).strip()


def capitalise(text: str) -> str:
    """Start each sentence with a capital letter."""
    return _SENTENCE_START.sub(lambda match: match[1] + match[2] + match[3].upper(), text)


def render(template: str, slots: Mapping[str, str], rng: random.Random) -> str:
    return tidy(fill(choose(template, rng), slots))


class Deck(Generic[T]):
    """Deals its cards in a shuffled order and shuffles again when they run out, so that all are used equally often."""

    def __init__(self, cards: Sequence[T], rng: random.Random) -> None:
        if not cards:
            raise ValueError("a deck needs at least one card")
        self._cards = list(cards)
        self._rng = rng
        self._left: list[T] = []

    def deal(self) -> T:
        if not self._left:
            self._left = self._cards.copy()
            self._rng.shuffle(self._left)
        return self._left.pop()
