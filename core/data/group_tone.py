"""How groups of people are written about: friendly, unfriendly and rude words in the rows, by short lists of our own.

One JSON file a language under `assets/tone`. A word list knows no context, so only rates of many rows are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from core.schemas.base import Schema

from . import toxicity
from .english import tokens_of
from .group_rates import Outcomes
from .lexicon import spelled

FOLDER = Path(__file__).parents[2] / "assets" / "tone"
FRIENDLY, UNFRIENDLY, RUDE = "friendly words", "unfriendly words", "rude words"
REACH = 3  # words after which a negation no longer turns a word round


class ToneWords(Schema):
    """Forms with their endings as in the identity lexicon; `negations` turn the words after them round ("not good")."""

    language: str
    about: str = ""
    endings: dict[str, tuple[str, ...]] = {}
    negations: tuple[str, ...]
    friendly: tuple[str, ...]
    unfriendly: tuple[str, ...]

    @cached_property
    def values(self) -> dict[str, int]:
        """Each form in lower case: 1 for friendly, -1 for unfriendly."""
        both = ((self.friendly, 1), (self.unfriendly, -1))
        return {form.lower(): value for words, value in both for word in words for form in spelled(word, self.endings)}

    @cached_property
    def turned(self) -> frozenset[str]:
        return frozenset(self.negations)

    def tone(self, text: str) -> int:
        """Friendly words minus unfriendly ones."""
        total, negated = 0, 0
        for token in tokens_of(text):
            if token.low in self.turned:
                negated = REACH + 1
            elif value := self.values.get(token.low):
                total += -value if negated else value
            negated = 0 if token.gap[:1] in tuple(".!?;") else max(0, negated - 1)
        return total


def languages() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


@cache
def load(language: str) -> ToneWords:
    return ToneWords.model_validate_json((FOLDER / f"{language}.json").read_text(encoding="utf-8"))


def outcomes(texts: Sequence[str], language: str) -> Outcomes | None:
    """Rows with more friendly than unfriendly words, the other way round, and with a rude word where there is a list of them;
    None for a language without a list."""
    if language not in languages():
        return None
    words = load(language)
    tones = np.array([words.tone(text) for text in texts], dtype=np.int64)
    names, columns = [UNFRIENDLY, FRIENDLY], [tones < 0, tones > 0]
    if language in toxicity.languages():
        rude = toxicity.load(language)
        names.append(RUDE)
        columns.append(np.array([rude.find(text) is not None for text in texts], dtype=bool))
    return Outcomes("tone", tuple(names), matrix=np.column_stack(columns))
