"""The rows that show a finding, as a table in which the suspicious word can be seen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

import streamlit as st

from core.schemas.findings import Finding
from core.services import health
from core.store.tables import DatasetVersion

from .differences import visible

SHOWN = 50  # rows drawn
LONGEST = 320  # characters of a text
AROUND = 90  # characters kept before a marked word


def evidence_rows(version: DatasetVersion, finding: Finding, key: str) -> None:
    """A closed line that opens to the table; rows are read only when it is open."""
    if not finding.row_ids:
        return
    count = min(len(finding.row_ids), SHOWN)
    more = f" of {finding.count:,}" if finding.count > count else ""
    label = f"Show {count} row{'' if count == 1 else 's'}{more}"
    opened = st.expander(label, key=key, icon=":material/table_rows:", on_change="rerun", type="compact")
    if not opened.open:
        return
    with opened:
        st.html(rows_html(health.evidence(version, finding, SHOWN)))


def rows_html(rows: list[health.EvidenceRow]) -> str:
    """A table of row, what was found, label (where there are labels) and text with the word marked. All escaped."""
    found, labels = any(row.found for row in rows), any(row.label for row in rows)
    head = "".join(
        f"<th>{title}</th>"
        for title, there in (("Row", True), ("Found", found), ("Label", labels), ("Text", True))
        if there
    )
    lines = []
    for row in rows:
        cells = [f'<td class="tw-quiet">{escape(row.row_id)}</td>']
        if found:
            cells.append(f"<td>{escape(visible(row.found))}</td>")
        if labels:
            cells.append(f'<td class="tw-quiet">{escape(visible(row.label[:60]))}</td>')
        cells.append(f"<td>{marked(row.text, row.marks)}</td>")
        lines.append(f"<tr>{''.join(cells)}</tr>")
    body = f"<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody>"
    return f'<div class="tw-scroll"><table class="tw-rows">{body}</table></div>'


def marked(text: str, words: Sequence[str]) -> str:
    """The text as escaped HTML, cut where it is long, with every place of the words marked (case does not matter)."""
    sought = [re.escape(word) for word in words if 0 < len(word) <= 60]
    places = [m.span() for m in re.finditer("|".join(sought), text, re.IGNORECASE)] if sought else []
    start = max(0, places[0][0] - AROUND) if places and places[0][1] > LONGEST else 0
    end = start + LONGEST
    out = ["…" if start else ""]
    at = start
    for begin, stop in places:
        if begin >= at and stop <= end:
            out += [_line(text[at:begin]), f"<mark>{_line(text[begin:stop])}</mark>"]
            at = stop
    out += [_line(text[at:end]), "…" if end < len(text) else ""]
    return "".join(out)


def _line(text: str) -> str:
    """Escaped and on one line: line ends as a sign, control characters as codes."""
    shown = (
        "⏎" if c == "\n" else c if c.isprintable() or c == "\u200d" else c.encode("unicode_escape").decode()
        for c in text
    )
    return escape("".join(shown))
