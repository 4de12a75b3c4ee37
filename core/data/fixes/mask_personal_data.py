"""Replace what identifies a person, found by the same patterns as in the health report, by its kind: [email], [phone]."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd
from pydantic import Field

from core.schemas.base import Schema

from ..personal_data import KINDS, spans
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


PLUGIN = Fix(
    "mask_personal_data",
    "Replace personal data",
    "Replaces e-mail addresses, numbers and keys in the texts by words such as [email]. Found by patterns: names of people "
    "are not found, and some harmless numbers may be. Look at the examples.",
    plan,
    Options,
    order=60,
)
