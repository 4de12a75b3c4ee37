"""The predictions behind the figures as files; made only when somebody presses the button."""

from __future__ import annotations

import streamlit as st

from core.services import prediction_files
from core.store.tables import Evaluation, Run


def predictions_panel(run: Run, kept: Evaluation) -> None:
    """Two buttons: a table for spreadsheets, and lines of JSON for programs."""
    name = f"predictions-round-{run.number}-{kept.split}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.download_button(
            "Predictions (CSV)",
            lambda: "".join(prediction_files.csv(kept)).encode(),
            f"{name}.csv",
            "text/csv",
            key=f"csv-{kept.id}",
            icon=":material/table:",
            on_click="ignore",
            help="Every row with its text, the right answer, and what your model, the base model and the simple baselines "
            "said. A text that a spreadsheet would take for a formula has an apostrophe in front.",
        )
        st.download_button(
            "Predictions (JSONL)",
            lambda: "".join(prediction_files.jsonl(kept)).encode(),
            f"{name}.jsonl",
            "application/jsonl",
            key=f"jsonl-{kept.id}",
            icon=":material/data_object:",
            on_click="ignore",
            help="The same for programs: one JSON object a line, texts unchanged, probabilities of every contender.",
        )
        st.caption("Row by row, to check the figures yourself or to look further.")
