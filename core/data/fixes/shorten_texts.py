"""Cut long texts at the end of a sentence, or into several rows."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

import pandas as pd
from pydantic import Field

from core.schemas.base import Schema

from ..health_rows import filled
from ._fix import Change, Fix, Roles

_SENTENCE = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)|[。！？]+[」』”’）]*|\n+")
_JOINERS = "\u200d\ufe0f"


class Options(Schema):
    most: int = Field(
        2_000,
        ge=50,
        le=1_000_000,
        title="Longest text",
        description="Texts with more letters than this are cut. A token is about four letters of English.",
        json_schema_extra={"unit": "characters", "suggestions": [500, 1_000, 2_000, 4_000, 8_000]},
    )
    how: Literal["cut", "chunk"] = Field(
        "cut",
        title="What happens to the rest",
        description="Drop it, or make rows of their own from it with the same label. The pieces of one text always stay in "
        "one part of the split.",
        json_schema_extra={"options": {"cut": "It is dropped", "chunk": "It becomes rows"}},
    )


def plan(table: pd.DataFrame, roles: Roles, options: Options) -> Change:
    """Texts are cut; answers and conversations never, for a model would learn to stop in the middle."""
    column = roles["text"]
    rows = zip(table["row_id"].map(str), filled(table[column]), strict=True)
    long = {row: pieces(text, options.most) for row, text in rows if len(text) > options.most}
    if options.how == "cut":
        return Change(cells={column: {row: parts[0] for row, parts in long.items()}} if long else {})
    return Change(pieces={column: {row: parts for row, parts in long.items()}} if long else {})


def pieces(text: str, most: int) -> tuple[str, ...]:
    """The text in pieces of at most `most` characters, cut at sentence ends where there is one in the second half of a
    piece, else between words, else where it must be."""
    found: list[str] = []
    start = 0
    while len(text) - start > most:
        end = start + _place(text[start : start + most + 1], most)
        found.append(text[start:end].strip())
        start = end
    found.append(text[start:].strip())
    return tuple(piece for piece in found if piece) or (text[:most],)


def _place(window: str, most: int) -> int:
    """Where to cut; `window` has one character more than a piece may have."""
    ends = [m.end() for m in _SENTENCE.finditer(window) if most // 2 <= m.end() <= most]
    if ends:
        return ends[-1]
    space = max(window.rfind(sign, most // 2, most + 1) for sign in " \t\n")
    if space > 0:
        return space
    place = most
    while place > most // 2 and _belongs_to_the_one_before(window, place):
        place -= 1
    return place


def _belongs_to_the_one_before(window: str, place: int) -> bool:
    """Whether a cut here would tear an accent off its letter or an emoji apart."""
    after = window[place : place + 1]
    return bool(after) and (
        unicodedata.combining(after) > 0
        or after in _JOINERS
        or window[place - 1] == "\u200d"
        or 0x1F3FB <= ord(after) <= 0x1F3FF  # skin tones
    )


PLUGIN = Fix(
    "shorten_texts",
    "Shorten long texts",
    "Cuts texts that are too long at the end of a sentence, or makes several rows of them.",
    plan,
    Options,
    order=70,
    needs=frozenset({"text"}),
)
