"""Panel of the Evaluation screen: other rounds on the very same rows, each tested in pairs against this one."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.schemas.evaluation import EvaluationResult
from core.store.tables import Run

from . import parts


def rounds_panel(run: Run, result: EvaluationResult) -> None:
    """A table with two columns for each other round; nothing where there is none."""
    if not result.rounds:
        return
    st.subheader("Beside other rounds", anchor=False)
    header = ["", f"this round ({run.number})"]
    for other in result.rounds:
        header += [f"round {other.number}", f"this against {other.number}"]
    rows = []
    for row in result.metrics:
        share = row.format == "percent"
        cells = [f'<span title="{escape(row.help)}">{escape(row.title)}</span>']
        cells.append(parts.figure_html(row.values.get("tuned"), share=share))
        for other in result.rounds:
            cells.append(parts.figure_html(other.values.get(row.key), share=share))
            found = other.comparisons.get(row.key)
            cells.append(parts.verdict_html(found.verdict) if found else parts.figure_html(None))
        rows.append(cells)
    parts.table(header, rows)
    names = ", ".join(f"{other.number} is {other.name}" for other in result.rounds)
    st.caption(
        f"All on the same {result.n:,} rows, paired row by row; better and worse are said of this round. {names}. Choosing the "
        "best of many rounds by the test set makes it look better than it is: choose on validation."
    )
