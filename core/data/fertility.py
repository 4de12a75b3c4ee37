"""How well a tokenizer fits texts: tokens a word (fertility), without loading the model.

A tokenizer that knows a language or a subject spends few tokens on a word. Rust et al. 2021 ("How good is your
tokenizer?", ACL) find about 1.1 to 1.8 for languages that a model was made for, and a worse model the higher it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from tokenizers import Tokenizer

from core.schemas.base import Schema

from .wordsplit import without_spaces, words

FAMILIAR, STRANGE = 1.8, 2.5  # tokens a word (house defaults after Rust et al.)
FAMILIAR_SIGN, STRANGE_SIGN = 1.3, 2.0  # tokens a character, where a script puts no spaces
SAMPLE = 300  # rows that are measured


class Fertility(Schema):
    """`per_word` tokens a word (a character where the script has no spaces), `unknown` the share of tokens that stand for
    something the tokenizer cannot write. `longest` is the 99th percentile of tokens a row. `n` rows were measured."""

    per_word: float
    unit: str
    unknown: float
    longest: int
    n: int

    @property
    def verdict(self) -> str:
        """familiar, usable or strange."""
        familiar, strange = (FAMILIAR, STRANGE) if self.unit == "word" else (FAMILIAR_SIGN, STRANGE_SIGN)
        if self.unknown > 0.01 or self.per_word > strange:
            return "strange"
        return "familiar" if self.per_word <= familiar else "usable"


def measure(folder: str | Path, texts: Sequence[str]) -> Fertility | None:
    """The fertility of the tokenizer in this model folder on the texts; None where no text holds a word."""
    kept = [text for text in texts if text.strip()][:SAMPLE]
    counted = sum(len(words(text)) for text in kept)
    if not counted:
        return None
    tokenizer = _load(str(folder))
    encoded = tokenizer.encode_batch_fast(kept, add_special_tokens=False)
    unknown_id = _unknown(tokenizer)
    lengths = sorted(len(e.ids) for e in encoded)
    total = sum(lengths)
    return Fertility(
        per_word=total / counted,
        unit="character" if without_spaces(kept) else "word",
        unknown=sum(e.ids.count(unknown_id) for e in encoded) / total if unknown_id is not None and total else 0.0,
        longest=lengths[min(len(lengths) - 1, int(0.99 * len(lengths)))],
        n=len(kept),
    )


@lru_cache(maxsize=32)
def _load(folder: str) -> Tokenizer:
    tokenizer: Tokenizer = Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _unknown(tokenizer: Tokenizer) -> int | None:
    """Id of the token for what cannot be written. A byte-level tokenizer writes everything and needs none."""
    name = getattr(tokenizer.model, "unk_token", None)
    return tokenizer.token_to_id(name) if name else None
