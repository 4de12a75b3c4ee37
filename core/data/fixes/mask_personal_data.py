"""Replace what identifies a person, found by the same patterns as in the health report, by its kind: [email], [phone]."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd
from pydantic import Field

from core.schemas.base import Schema

from ..checks._patterns import IBAN_LENGTHS, KINDS
from ._common import rewrite_texts
from ._fix import Change, Fix, Roles

Kind = Literal["email", "phone", "card", "iban", "ssn", "ip", "key", "address", "birth"]
EVERY: tuple[Kind, ...] = ("email", "phone", "card", "iban", "ssn", "ip", "key", "address", "birth")
TITLES: dict[str, Any] = {kind.key: kind.title[0].upper() + kind.title[1:] for kind in KINDS}


class Options(Schema):
    kinds: tuple[Kind, ...] = Field(
        EVERY,
        min_length=1,
        title="What to replace",
        description="Numbers are only taken for cards and bank accounts where their check digits are right.",
        json_schema_extra={"options": TITLES},
    )
    words: Literal["kind", "removed"] = Field(
        "kind",
        title="What stands in its place",
        description="The name of the kind keeps the sentence readable, and tells the model that something was there.",
        json_schema_extra={"options": {"kind": "[email], [phone], …", "removed": "[removed]"}},
    )


def plan(table: pd.DataFrame, roles: Roles, options: Options) -> Change:
    return rewrite_texts(table, roles, lambda text: masked(text, options))


def masked(text: str, options: Options) -> str:
    """The text with each place replaced. Done again on the result, since a mask may uncover a second reading."""
    for _ in range(3):
        places = spans(text, options.kinds)
        if not places:
            break
        parts, end = [], 0
        for start, stop, kind in places:
            parts += [text[end:start], f"[{kind}]" if options.words == "kind" else "[removed]"]
            end = stop
        text = "".join([*parts, text[end:]])
    return text


def spans(text: str, kinds: tuple[Kind, ...] = EVERY) -> list[tuple[int, int, str]]:
    """(start, end, kind) of personal data in a text, in order and without overlap; of two readings the longer counts."""
    digit = any(map(str.isdigit, text))
    if not digit and "@" not in text and "-----" not in text:
        return []
    lower = text.lower()
    found: list[tuple[int, int, str]] = []
    for kind in KINDS:
        if kind.key not in kinds or not (any(h in lower for h in kind.hints) if kind.hints else digit):
            continue
        for match in kind.pattern.finditer(text):
            start, end = match.span("found" if "found" in match.groupdict() else 0)
            if kind.valid(text[start:end]):
                found.append((start, _iban_end(text, start) if kind.key == "iban" else end, kind.key))
    chosen: list[tuple[int, int, str]] = []
    for place in sorted(found, key=lambda p: (p[0] - p[1], p[0])):
        if all(place[1] <= start or place[0] >= end for start, end, _ in chosen):
            chosen.append(place)
    return sorted(chosen)


def _iban_end(text: str, start: int) -> int:
    """Where the account number ends: the pattern may take in a word that follows it."""
    left = IBAN_LENGTHS[text[start : start + 2].upper()]
    for place in range(start, len(text)):
        left -= text[place] != " "
        if not left:
            return place + 1
    return len(text)


PLUGIN = Fix(
    "mask_personal_data",
    "Replace personal data",
    "Replaces e-mail addresses, numbers and keys in the texts by words such as [email]. Found by patterns: names of people "
    "are not found, and some harmless numbers may be. Look at the examples.",
    plan,
    Options,
    order=60,
)
