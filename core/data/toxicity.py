"""Rude, hateful and threatening words, for looking through rows by hand: a short list with its exceptions, and no judge.

One JSON file a language under `assets/toxicity`.
"""

from __future__ import annotations

import re
from functools import cache, cached_property
from pathlib import Path

from core.schemas.base import Schema

FOLDER = Path(__file__).parents[2] / "assets" / "toxicity"


class ToxicWords(Schema):
    """`words` by kind (insult, profanity, slur, threat), all in lower case; `allow` are phrases in which they are harmless."""

    language: str
    about: str = ""
    words: dict[str, tuple[str, ...]]
    allow: tuple[str, ...] = ()

    @cached_property
    def first_words(self) -> frozenset[str]:
        """The first word of every entry: a text without one of these needs no search."""
        return frozenset(re.findall(r"[a-z0-9]+", entry)[0] for entries in self.words.values() for entry in entries)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        entries = sorted((e for group in self.words.values() for e in group), key=len, reverse=True)
        words, harmless = (
            "|".join(re.escape(e).replace(r"\ ", r"\s+") for e in part) for part in (entries, self.allow)
        )
        # An exception is read first and takes its words out of the search.
        return re.compile(rf"(?i)(?<![\w-])(?:(?P<allowed>{harmless or '(?!)'})|(?P<found>{words}))(?![\w-])")

    def find(self, text: str) -> str | None:
        """The first such word of a text as it is written there, or None."""
        return next((m["found"] for m in self._pattern.finditer(text.replace("’", "'")) if m["found"]), None)


def languages() -> tuple[str, ...]:
    """Languages that have a list, as two-letter codes."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


@cache
def load(language: str = "en") -> ToxicWords:
    return ToxicWords.model_validate_json((FOLDER / f"{language}.json").read_text(encoding="utf-8"))
