"""Panels of the Evaluation screen: kinds of rows that fail more often, and labels of the test set that may be wrong."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.schemas.analysis import Analysis
from core.schemas.evaluation import EvaluationResult
from core.services import analyses, evaluation_rows
from core.store.tables import Run

from . import parts


def slices_panel(run: Run, result: EvaluationResult, found: Analysis) -> None:
    """Weak spots, found on one half of the rows and confirmed on the other."""
    if not found.slices_tried:
        st.caption("There are no errors to look into, or too few rows: a kind of rows needs 30, and as many others.")
        return
    if not found.slices:
        st.success(
            f"No weak spot: of {found.slices_tried:,} kinds of rows none fails clearly more often than the others.",
            icon=":material/check_circle:",
        )
    else:
        parts.table(
            ["", "wrong, on the half that confirms", "elsewhere"],
            [
                [escape(s.title), parts.figure_html(s.confirmed, share=True), parts.figure_html(s.others, share=True)]
                for s in found.slices
            ],
        )
        chosen = st.selectbox("Open the errors of", found.slices, format_func=lambda s: s.title)
        texts = evaluation_rows.texts(run, list(chosen.row_ids))
        st.dataframe(
            [{"row": r, "text": texts[r].text} for r in chosen.row_ids if r in texts],
            hide_index=True,
            width="stretch",
            height=240 if len(chosen.row_ids) > 5 else "content",
        )
    st.caption(
        f"{found.slices_tried:,} kinds were looked at (length, language, words, right answer, columns of your file). Told are "
        "those with 30 rows or more that fail clearly more often on both halves, corrected for looking at many."
    )


def suspects_panel(run: Run, result: EvaluationResult, found: Analysis) -> None:
    """Rows whose own label is doubtful. Nothing is changed here."""
    accuracy = result.metric("accuracy")
    if accuracy is not None and accuracy.values["tuned"].value < analyses.GOOD_ENOUGH:
        st.info(
            f"Labels are doubted only by a model that is right {100 * analyses.GOOD_ENOUGH:.0f} times in 100 or more. Below it, "
            "most of what it doubts would be its own errors.",
            icon=":material/info:",
        )
        return
    if not found.suspects:
        st.success("No label of these rows looks wrong.", icon=":material/check_circle:")
        return
    texts = evaluation_rows.texts(run, [s.row_id for s in found.suspects])
    st.markdown(
        f"**{len(found.suspects)} label{'s' * (len(found.suspects) != 1)} may be wrong.** Two models that never saw these rows, "
        "yours and one that counts words, agree on another answer. Both can be wrong: read the row."
    )
    st.dataframe(
        [
            {
                "text": texts[s.row_id].text if s.row_id in texts else "",
                "label": s.label,
                "suggested": s.suggested,
                "label likely": s.confidence,
                "suggested likely": s.probability,
                "row": s.row_id,
            }
            for s in found.suspects
        ],
        hide_index=True,
        width="stretch",
        height=320 if len(found.suspects) > 8 else "content",
        column_config={
            n: st.column_config.NumberColumn(format="percent") for n in ("label likely", "suggested likely")
        },
    )
    st.caption(
        "Nothing is changed. “Judge these labels” under Fix next leads through them; for rows of the locked test set your "
        "judgement is noted, not applied."
    )
