"""Panel of the Evaluation screen: what the model lost of language in general while it learnt the task."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.schemas.evaluation import EvaluationResult

from . import parts

WORDS = {"lost": "lost some", "kept": "kept", "cannot tell": "cannot tell"}


def forgetting_panel(result: EvaluationResult) -> None:
    """Nothing for an evaluation that was made before this was measured."""
    found = result.forgetting
    if found is None:
        return
    st.subheader("Did it forget?", anchor=False, help=parts.term("forgetting"))
    if not found.probes:
        st.caption(found.reason)
        return
    with st.container(border=True):
        for probe in found.probes:
            st.html(f"<p>{escape(probe.sentence)}</p>")
        header = ["bits a byte on general passages", "base model", "your model", "change", ""]
        rows = [
            [
                escape(probe.title),
                parts.figure_html(probe.base),
                parts.figure_html(probe.tuned),
                parts.figure_html(probe.change, share=True),
                escape(WORDS[probe.outcome]),
            ]
            for probe in found.probes
        ]
        parts.table(header, rows)
        st.caption(
            "Lower is better. Passages written for this purpose that neither model has read; less than 5% more does not count "
            "as forgotten. " + found.note
        )
