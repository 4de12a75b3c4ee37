"""All texts as word numbers: read once, then counted by array operations in every check that looks at words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..wordsplit import words

_ASCII = re.compile(r"[a-z0-9]+|[^\w\s]")
_SIGN = re.compile(r"[^\w\s]")


@dataclass(frozen=True)
class Vocabulary:
    """`ids` are the words and signs of all texts one after another, text i at `starts[i]:starts[i + 1]`; word number w
    is `words[w]`. `is_word` tells words from signs. In texts that are not ASCII the signs come after the words."""

    words: Sequence[str]
    ids: np.ndarray
    starts: np.ndarray
    is_word: np.ndarray

    @classmethod
    def of(cls, texts: Iterable[str], read: int) -> Vocabulary:
        """`read`: characters read of each text."""
        numbers: dict[str, int] = {}
        blocks: list[np.ndarray] = []
        block: list[int] = []
        lengths = [0]
        for text in texts:
            found = tokens(text[:read])
            block += [numbers.setdefault(word, len(numbers)) for word in found]
            lengths.append(len(found))
            if len(block) > 1_000_000:
                blocks.append(np.asarray(block, dtype=np.int32))
                block = []
        blocks.append(np.asarray(block, dtype=np.int32))
        known = list(numbers)
        is_word = np.fromiter((_SIGN.fullmatch(w) is None for w in known), dtype=bool, count=len(known))
        return cls(known, np.concatenate(blocks), np.cumsum(lengths, dtype=np.int64), is_word)

    @property
    def rows(self) -> np.ndarray:
        """The text that each entry of `ids` is from."""
        return np.repeat(np.arange(len(self.starts) - 1, dtype=np.int64), np.diff(self.starts))

    def of_text(self, i: int) -> np.ndarray:
        """Word numbers of text i, without signs."""
        part = self.ids[self.starts[i] : self.starts[i + 1]]
        return part[self.is_word[part]]

    def with_any(self, wanted: Iterable[str]) -> np.ndarray:
        """Indices of the texts that hold one of these words (lower case)."""
        searched = set(wanted)
        hit = np.fromiter((w in searched for w in self.words), dtype=bool, count=len(self.words))
        places = np.flatnonzero(hit[self.ids]) if len(self.ids) else np.zeros(0, dtype=np.int64)
        return np.unique(np.searchsorted(self.starts, places, side="right") - 1)


def tokens(text: str) -> list[str]:
    """The words of a text in lower case, and its punctuation signs."""
    if text.isascii():
        return _ASCII.findall(text.casefold())
    return [*words(text), *_SIGN.findall(unicodedata.normalize("NFC", text))]
