"""Two texts that differ in who they are about, side by side, with what the model says to each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from html import escape
from typing import Any

from . import parts

LONGEST = 320  # characters of a text that are shown


def pairs_table(pairs: Sequence[Mapping[str, Any]], unit: str, titles: Mapping[tuple[str, str], str]) -> None:
    """`titles`: (axis, group) to its words. The words that differ are marked."""
    rows = []
    for pair in pairs:
        first, second = marked(str(pair["before"]), str(pair["after"]))
        rows.append(
            [
                escape(_about(pair, titles)),
                first + _said(pair, "before_value", unit),
                second + _said(pair, "after_value", unit),
            ]
        )
    parts.table(["", "one text", "the other text"], rows)


def _about(pair: Mapping[str, Any], titles: Mapping[tuple[str, str], str]) -> str:
    keys = [str(pair.get(side) or "") for side in ("from_group", "to_group")]
    groups = [titles.get((str(pair.get("axis")), key), key) for key in keys]
    return " / ".join(group for group in groups if group) or str(pair.get("axis", ""))


def _said(pair: Mapping[str, Any], side: str, unit: str) -> str:
    """Under a text: the output that moved most, and its value."""
    value = pair.get(side)
    if value is None:
        return ""
    output = str(pair.get("output", ""))
    shown = f"{100 * value:.0f}%" if unit == "probability" else f"{value:.2f}"
    name = f"“{output}” " if output and output != "likelihood" else ""
    return f'<span class="tw-cell-basis">{escape(name)}{shown}</span>'


def marked(first: str, second: str) -> tuple[str, str]:
    """Both texts as HTML, cut where they are long, with the words that differ in bold."""
    a, b = first[:LONGEST].split(), second[:LONGEST].split()
    one: list[str] = []
    other: list[str] = []
    for kind, i, j, k, m in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        for words, out in ((a[i:j], one), (b[k:m], other)):
            if words:
                text = escape(" ".join(words))
                out.append(text if kind == "equal" else f"<b>{text}</b>")
    return (
        " ".join(one) + ("…" if len(first) > LONGEST else ""),
        " ".join(other) + ("…" if len(second) > LONGEST else ""),
    )
