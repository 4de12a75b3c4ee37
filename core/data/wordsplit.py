"""Words of a text in any script: letters with their marks, or single characters where a script puts no spaces."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

# Thai, Lao, Tibetan, Myanmar, Khmer, Japanese kana, Chinese characters (with extensions).
_NO_SPACES = "\u0e00-\u0e7f\u0e80-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_NO_SPACES += "\uf900-\ufaff\U00020000-\U0003ffff"
# Python's \w leaves out combining marks, which would cut Hindi, Arabic with vowels or decomposed accents into pieces.
_MARKS = "".join(c for c in map(chr, range(0x300, 0x10000)) if unicodedata.category(c).startswith("M"))
_ONE = rf"(?:(?![{_MARKS}])[{_NO_SPACES}])[{_MARKS}]*"
_RUN = rf"(?:(?![{_NO_SPACES}])(?:[^\W_]|[{_MARKS}]))+"
_WORD = re.compile(rf"{_RUN}|{_ONE}")
_SPACELESS = re.compile(f"[{_NO_SPACES}]")
SPACELESS_SHARE = 0.3
"""Above this share of letters in such scripts, a text counts as written without spaces (house default)."""


def words(text: str) -> list[str]:
    """Lower-case words without punctuation, after Unicode NFKC; one token a character for Chinese, Japanese, Thai,
    Lao, Tibetan, Burmese and Khmer.
    """
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def without_spaces(texts: Iterable[str]) -> bool:
    """Whether these texts are mostly written in scripts that put no spaces between words."""
    letters = spaceless = 0
    for text in texts:
        letters += sum(map(str.isalpha, text))
        spaceless += len(_SPACELESS.findall(text))
    return letters > 0 and spaceless / letters > SPACELESS_SHARE
