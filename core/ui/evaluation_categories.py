"""Panel of the Evaluation screen: each category by itself, and the confusion matrix whose cells open their rows."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.schemas.estimates import Estimate
from core.schemas.evaluation import EvaluationResult
from core.services import evaluation_rows
from core.store.tables import Run

from . import parts

ACCENT, WRONG = "26, 143, 132", "214, 128, 60"
MOST_SHOWN = 200  # rows of a cell


def classes_panel(run: Run, result: EvaluationResult) -> None:
    """Which category was taken for which; then precision, recall and F1 of each."""
    _confusion(run, result)
    with st.expander("Each category by itself", icon=":material/table_rows:"):
        figures = []
        for row in result.per_class:
            line: dict[str, Any] = {"category": row["label"], "rows": row["n"]}
            for name in ("precision", "recall", "f1"):
                line[name] = parts.percent(Estimate.model_validate(row[name])) if row[name] else "–"
            line["note"] = "too few rows to judge" if row["few"] else ""
            figures.append(line)
        st.dataframe(figures, hide_index=True, width="stretch", height=420 if len(figures) > 11 else "content")
        st.caption(
            "Precision: of the texts that were called so, how many are. Recall: of those that are, how many were found. In "
            "brackets the 95% interval and the rows it rests on; with one to three rows it errs to the wide side."
        )


def _confusion(run: Run, result: EvaluationResult) -> None:
    counts = pd.DataFrame([list(row) for row in result.matrix], index=list(result.labels), columns=list(result.labels))
    most = max(1, int(counts.to_numpy().max()))
    wrong = int(counts.to_numpy().sum() - counts.to_numpy().trace())

    def paint(column: pd.Series[int]) -> list[str]:
        return [
            _colour(str(right) == str(column.name), float(n) / most)
            for right, n in zip(column.index, column, strict=True)
        ]

    chosen = st.dataframe(
        counts.style.apply(paint, axis=0).format(lambda n: f"{n}" if n else ""),
        width="stretch",
        height=min(460, 38 + 35 * len(counts)),
        selection_mode="single-cell",
        on_select="rerun",
        key=f"confusion-{run.id}-{result.split}",
    )
    st.caption("Each row is a right answer, each column what the model said. Press a cell to read its rows.")
    if not wrong:
        st.success("No row was put into a wrong category.", icon=":material/check_circle:")
    cells = chosen["selection"]["cells"]
    if cells:
        place, said = cells[0]
        _rows(run, result, result.labels[place], str(said))
        return
    pairs = sorted(
        (
            (n, right, said)
            for i, right in enumerate(result.labels)
            for j, said in enumerate(result.labels)
            if i != j and (n := result.matrix[i][j])
        ),
        reverse=True,
    )[:100]
    if pairs:
        pair = st.selectbox("Open the rows of", pairs, format_func=lambda p: f"{p[1]} taken for {p[2]} ({p[0]})")
        _rows(run, result, pair[1], pair[2])


def _rows(run: Run, result: EvaluationResult, right: str, said: str) -> None:
    ids = evaluation_rows.cell(result, right, said)
    shown = ids[:MOST_SHOWN]
    found = evaluation_rows.texts(run, shown)
    name = f"“{parts.plain(right)}” called “{parts.plain(said)}”"
    st.markdown(f"**{name}: {len(ids):,} row{'s' * (len(ids) != 1)}**, the surest first")
    if shown:
        table = [{"text": found[r].text, "row": r} for r in shown if r in found]
        st.dataframe(table, hide_index=True, width="stretch", height=240 if len(table) > 5 else "content")


def _colour(right: bool, share: float) -> str:
    """More opaque for more rows; see-through, so that it fits a light and a dark page."""
    return f"background-color: rgba({ACCENT if right else WRONG}, {0.12 + 0.55 * share:.2f})" if share else ""
