"""Characters that should not be in a text: control codes, letters broken by a wrong encoding, stray spaces."""

from __future__ import annotations

import re

from core.schemas.findings import Finding, Severity

from ..statistics import wilson
from ._check import ALL, Check, plural, visible
from ._context import Context

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# The mark of a byte that could not be read; Windows-1252 read as Latin-1 (codes 80 to 9F); UTF-8 read as Windows-1252
# ("Ã©" for "é", "â€™" for an apostrophe).
BROKEN = re.compile("\ufffd|[\x80-\x84\x86-\x9f]|Ã[\xa0-\xbf]|â€[™œ’“”˜¢¦]|Â[\xa0-\xbf]|ï»¿")


def run(context: Context) -> list[Finding]:
    total = context.rows
    if not total:
        return []
    findings = []
    control = [i for i, t in enumerate(context.texts) if not t.isprintable() and CONTROL.search(t)]
    broken = [i for i, t in enumerate(context.texts) if not t.isascii() and BROKEN.search(t)]
    if control:
        findings.append(
            Finding(
                check="characters",
                severity=Severity.WARNING,
                title=f"{plural(len(control), 'text')} with invisible control characters",
                meaning=f"For example “{visible(context.texts[control[0]])}”. They come from terminals or broken "
                "exports, mean nothing, and the model would learn to write them.",
                fix="Remove the control characters.",
                count=len(control),
                row_ids=context.ids(control),
                estimate=wilson(len(control), total),
                data={"fix_key": "remove_control_characters", "evidence": _spots(context, control, CONTROL)},
            )
        )
    if broken:
        spot = BROKEN.search(context.texts[broken[0]])
        start = max(0, spot.start() - 20) if spot else 0
        findings.append(
            Finding(
                check="characters",
                severity=Severity.WARNING,
                title=f"{plural(len(broken), 'text')} with letters broken by a wrong encoding",
                meaning=f"For example “{visible(context.texts[broken[0]][start : start + 50])}”. The model would "
                "learn the broken letters.",
                fix="Upload the file again and choose its encoding, or save it as UTF-8 first.",
                count=len(broken),
                row_ids=context.ids(broken),
                estimate=wilson(len(broken), total),
                data={"evidence": _spots(context, broken, BROKEN)},
            )
        )
    if not findings:
        title = f"No broken or invisible characters in {plural(total, 'text')}"
        findings.append(Finding(check="characters", severity=Severity.GOOD, title=title, count=0))
    # Conversations come stripped; in plain text for completion, indents and line ends belong to the style.
    stray = [i for i, text in enumerate(context.texts) if text != text.strip()] if context.shape == "labels" else []
    if stray:
        findings.append(
            Finding(
                check="characters",
                severity=Severity.INFO,
                title=f"{plural(len(stray), 'row')} with spaces before or after the text",
                meaning="The model reads a space as part of the text. It rarely hurts, and it hides duplicates.",
                fix="Strip the spaces.",
                count=len(stray),
                row_ids=context.ids(stray),
                estimate=wilson(len(stray), total),
                data={"fix_key": "strip_whitespace"},
            )
        )
    return findings


def _spots(context: Context, rows: list[int], pattern: re.Pattern[str]) -> dict[str, str]:
    """The place of each row with what stands around it."""
    found: dict[str, str] = {}
    for i in rows[:200]:
        if match := pattern.search(context.texts[i]):
            start = max(0, match.start() - 12)
            found[context.row_ids[i]] = visible(context.texts[i][start : match.end() + 12])
    return found


PLUGIN = Check("characters", "Characters", 60, ALL, run)
