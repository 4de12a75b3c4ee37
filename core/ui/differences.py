"""A text before and after, with what went and what came marked. Every text from outside is escaped."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from html import escape

TOKENS = 1_500  # words compared one by one; a longer middle is shown as a whole
AROUND = 60  # characters shown before and after a change
LONGEST = 1_200  # characters of one text that are shown
_TOKEN = re.compile(r"\s+|\w+|[^\w\s]")


def visible(text: str) -> str:
    """The text on one line: control characters as codes, line ends as a sign, spaces at its ends as a sign."""
    text = "".join(_shown(c) for c in text)
    core = text.strip(" ")
    if not core:
        return "␣" * len(text)
    before = len(text) - len(text.lstrip(" "))
    return "␣" * before + core + "␣" * (len(text) - before - len(core))


def difference_html(before: str, after: str) -> str:
    """One line of HTML: what stays as it is, cut where it is long, `<del>` for what went, `<ins>` for what came."""
    parts = _parts(before, after)
    out = []
    for index, (kind, text) in enumerate(parts):
        if kind == "same":
            out.append(escape(_flat(_cut(text, first=index == 0, last=index == len(parts) - 1))))
        else:
            out.append(f"<{kind}>{escape(_marked(text))}</{kind}>")
    return "".join(out)


def table_html(rows: list[tuple[str, str, str, str]], second: str = "Label") -> str:
    """Changed cells as a table: (row, label or column, before, after)."""
    head = f"<tr><th>Row</th><th>{escape(second)}</th><th>What changes</th></tr>"
    lines = (
        f"<tr><td>{escape(row)}</td><td>{escape(visible(label))}</td><td>{difference_html(before, after)}</td></tr>"
        for row, label, before, after in rows
    )
    return f'<table class="tw-diff"><thead>{head}</thead><tbody>{"".join(lines)}</tbody></table>'


def _parts(before: str, after: str) -> list[tuple[str, str]]:
    a, b = _TOKEN.findall(before), _TOKEN.findall(after)
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end]:
        end += 1
    middle_a, middle_b = a[start : len(a) - end], b[start : len(b) - end]
    found: list[tuple[str, str]] = [("same", "".join(a[:start]))]
    if len(middle_a) > TOKENS or len(middle_b) > TOKENS:
        found += [("del", "".join(middle_a)), ("ins", "".join(middle_b))]
    else:
        matcher = SequenceMatcher(None, middle_a, middle_b, autojunk=False)
        for kind, i, j, k, m in matcher.get_opcodes():
            if kind == "equal":
                found.append(("same", "".join(middle_a[i:j])))
            else:
                found += [("del", "".join(middle_a[i:j])), ("ins", "".join(middle_b[k:m]))]
    found.append(("same", "".join(a[len(a) - end :]) if end else ""))
    return [(kind, text) for kind, text in found if text]


def _cut(text: str, *, first: bool, last: bool) -> str:
    """What stays, cut in the middle, or at the side away from the change."""
    if first and last:
        return text if len(text) <= 2 * AROUND else text[: 2 * AROUND] + "…"
    if first:
        return text if len(text) <= AROUND else "…" + text[-AROUND:]
    if last:
        return text if len(text) <= AROUND else text[:AROUND] + "…"
    return text if len(text) <= 2 * AROUND else f"{text[:AROUND]} … {text[-AROUND:]}"


def _marked(text: str) -> str:
    text = text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} … {text[-LONGEST // 2 :]}"
    return visible(text)


def _flat(text: str) -> str:
    return "".join(_shown(c) for c in text)


def _shown(character: str) -> str:
    if character == "\n":
        return "⏎"
    if character == " " or character == "\u200d" or character.isprintable():
        return character
    return " " if character == "\t" else character.encode("unicode_escape").decode()
