"""Panel of the audit of the data: rates of every group, two groups at once, a third column; cells open their rows."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.schemas.audits import AuditResult
from core.schemas.findings import Finding, Severity
from core.services import audits, datasets, health, identity_words
from core.store.tables import Audit, DatasetVersion, Run

from . import data_audit_charts as charts
from . import parts
from .finding_rows import rows_html

KEY = "data_coverage"
OPENED = 25


def data_panel(run: Run, audit: Audit) -> None:
    """What stands behind the audit of the data; nothing where it was not done or has no groups."""
    result = audits.results(audit).get(KEY)
    if result is None or not result.cells:
        return
    with st.container(border=True):
        st.markdown("**Groups in your data, looked at closely**")
        views = {"Labels and tone": _rates, "Two groups at once": _pairs, "Inside a third column": _thirds}
        if not any(cell["kind"] == "pair" for cell in result.cells):
            del views["Two groups at once"]
        if not any("third" in finding.data for finding in result.findings):
            del views["Inside a third column"]
        chosen = next(iter(views))
        if len(views) > 1:
            chosen = st.segmented_control(
                "View", list(views), default=chosen, required=True, label_visibility="collapsed", key=f"view-{audit.id}"
            )
        views[chosen](run, audit, result)


def _rates(run: Run, audit: Audit, result: AuditResult) -> None:
    axes = {cell["axis"]: cell["axis_title"] for cell in result.cells if cell["kind"] != "pair"}
    flagged = _flagged(result)
    loud = [axis for axis in axes if any(axis == key[0] for key in flagged)]
    first = max(loud or list(axes), key=lambda axis: sum(c["n"] for c in result.cells if c.get("axis") == axis))
    axis = st.selectbox(
        "Kind of group", list(axes), index=list(axes).index(first), format_func=axes.__getitem__, key=f"axis-{audit.id}"
    )
    cells = [cell for cell in result.cells if cell.get("axis") == axis]
    pressed = charts.rates(cells, flagged, f"{audit.id}-{axis}")
    st.caption(
        "How often the rows about a group have a label, or hold more friendly or unfriendly words. Orange: more often than the "
        "other groups, blue: less often, pale: much the same. “3 of 12”: not enough rows to judge. A frame marks what is "
        "reported above. Press a cell to read its rows."
    )
    names = [f"{cell['group_title']}: {cell['label']} ({cell['count']:,})" for cell in cells]
    _open(run, cells, names, pressed, f"{audit.id}-{axis}")


def _pairs(run: Run, audit: Audit, result: AuditResult) -> None:
    cells = [cell for cell in result.cells if cell["kind"] == "pair"]
    kinds = {tuple(cell["axes"]): " and ".join(t.lower() for t in cell["axis_titles"]) for cell in cells}
    left, right = st.columns(2)
    pair = left.selectbox("Kinds of groups", list(kinds), format_func=lambda key: kinds[key], key=f"pair-{audit.id}")
    cells = [cell for cell in cells if tuple(cell["axes"]) == pair]
    labels = list(cells[0]["rates"])
    label = right.selectbox("Label", labels, key=f"pair-label-{audit.id}") if labels else None
    pressed = charts.pairs(cells, label, f"{audit.id}-{pair}-{label}")
    st.caption(
        "Rows that name both groups: how often they have the label. Grey: not enough rows. Press a cell to read its rows."
    )
    names = [f"{' and '.join(cell['group_titles'])} ({cell['n']:,})" for cell in cells]
    _open(run, cells, names, pressed, f"{audit.id}-{pair}")


def _thirds(run: Run, audit: Audit, result: AuditResult) -> None:
    found = [finding for finding in result.findings if "third" in finding.data]
    for i, finding in enumerate(found):
        st.markdown(f"**{parts.plain(finding.title)}**")
        charts.third(finding.data, f"{audit.id}-{i}")
        st.caption(parts.plain(finding.meaning))


def _flagged(result: AuditResult) -> set[tuple[str, str, str]]:
    """(axis, group, label) of what is reported as a finding."""
    return {
        (f.data["axis"], f.data["group"], label)
        for f in result.findings
        if f.severity is Severity.WARNING and "group" in f.data
        for label in (f.data["label"], *f.data.get("also", ()))
    }


def _open(run: Run, cells: list[dict[str, Any]], names: list[str], pressed: int | None, key: str) -> None:
    """The rows of the cell that was pressed, or of one chosen by name (for those who use no mouse)."""
    if pressed is None:
        options = [i for i, cell in enumerate(cells) if cell["row_ids"]]
        pressed = st.selectbox(
            "Or open the rows of", options, index=None, format_func=lambda i: names[i], key=f"open-{key}"
        )
    if pressed is None:
        return
    cell = cells[pressed]
    count = cell.get("count", cell["n"])
    st.markdown(f"**{parts.plain(names[pressed])}**" + (f", the first {OPENED}" if count > OPENED else ""))
    if not cell["row_ids"]:
        st.caption("No row.")
        return
    version = datasets.get_version(run.dataset_version_id)
    st.html(rows_html(_marked(version, cell)))


def _marked(version: DatasetVersion, cell: dict[str, Any]) -> list[health.EvidenceRow]:
    """The rows of a cell with the words marked that name its groups."""
    finding = Finding(check=KEY, severity=Severity.INFO, title="", row_ids=tuple(cell["row_ids"]))
    rows = health.evidence(version, finding, OPENED)
    named = set(zip(cell.get("axes", [cell.get("axis")]), cell.get("groups", [cell.get("group")]), strict=True))
    words = identity_words.words_in([row.text for row in rows], version, named)
    return [
        row._replace(found=", ".join(dict.fromkeys(found)), marks=tuple(found))
        for row, found in zip(rows, words, strict=True)
    ]
