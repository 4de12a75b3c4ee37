"""Which way a text is read: right to left where most of its letters are."""

from __future__ import annotations

import unicodedata
from typing import Literal

LOOKED_AT = 4_000  # characters


def direction(text: str) -> Literal["rtl", "ltr"]:
    """By the majority of strong characters (Unicode Standard Annex 9: L against R and AL), not by the first one: an Arabic
    answer that begins with a product name is still Arabic."""
    classes = [unicodedata.bidirectional(c) for c in text[:LOOKED_AT]]
    right = sum(1 for c in classes if c in ("R", "AL"))
    return "rtl" if right > sum(1 for c in classes if c == "L") else "ltr"
