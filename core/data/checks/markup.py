"""Remains of web pages in the texts: HTML tags and entities."""

from __future__ import annotations

import re

from core.schemas.findings import Finding, Severity

from ..statistics import wilson
from ._check import ALL, Check, plural, visible
from ._context import READ, Context

MANY = 0.01  # share of rows from which markup is a warning (house threshold)
FEWEST = 3
# A real tag or entity: `a < b`, <name> and <|end|> are none.
MARKUP = re.compile(
    r"</?(?:a|b|br|body|button|code|div|em|font|form|h[1-6]|head|hr|html|i|iframe|img|input|li|link|meta|ol|p|pre|script|"
    r"span|strong|style|sup|sub|svg|table|tbody|td|th|tr|u|ul)(?:\s[^<>]{0,500})?/?>|&(?:amp|lt|gt|quot|nbsp|apos|#\d{1,6});",
    re.IGNORECASE,
)


def run(context: Context) -> list[Finding]:
    total = context.rows
    found: dict[int, str] = {}
    for i, text in enumerate(context.texts):
        if ("<" in text or "&" in text) and (match := MARKUP.search(text[:READ])):
            found[i] = match.group()
    if not total or not found:
        return []
    many = len(found) > MANY * total and len(found) >= FEWEST
    return [
        Finding(
            check="markup",
            severity=Severity.WARNING if many else Severity.INFO,
            title=f"{plural(len(found), 'text')} of {total:,} with remains of a web page, such as "
            f"“{visible(found[min(found)], 40)}”",
            meaning="The model reads tags and entities as words: it spends length on them, and one that writes learns to write "
            "them.",
            fix="Strip the markup, unless the model should work with web pages.",
            count=len(found),
            row_ids=context.ids(found),
            estimate=wilson(len(found), total),
            data={
                "fix_key": "strip_markup",
                "evidence": {context.row_ids[i]: visible(word, 40) for i, word in list(found.items())[:200]},
            },
        )
    ]


PLUGIN = Check("markup", "Markup", 62, ALL, run)
