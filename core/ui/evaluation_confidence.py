"""Panel of the Evaluation screen: whether the model's confidence can be taken at face value, and what would mend it."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from core.schemas.analysis import Analysis, Calibration
from core.schemas.evaluation import EvaluationResult

from . import parts
from .charts import MARK, show

FEWEST = 500


def confidence_panel(result: EvaluationResult, found: Analysis) -> None:
    """The reliability diagram before and after temperature scaling, with the error of both."""
    calibration = found.calibration
    if calibration is None:
        st.caption("The model gives no probabilities, so there is no confidence to judge.")
        return
    st.markdown(_sentence(calibration))
    if result.n < FEWEST:
        st.caption(f":material/info: With {result.n:,} rows this is rough: it takes {FEWEST} to be trusted.")
    _diagram(calibration, result.split)
    header = ["", "as it is", f"with temperature {calibration.temperature:.2f}"]
    rows = [
        ["Calibration error", *(parts.figure_html(e, share=True) for e in (calibration.error_before, calibration.error_after))],
        ["Log loss", *(parts.figure_html(e) for e in (calibration.loss_before, calibration.loss_after))],
    ]  # fmt: skip
    parts.table(
        header if calibration.fitted_on else header[:2], rows if calibration.fitted_on else [r[:2] for r in rows]
    )
    if calibration.fitted_on:
        st.caption(
            f"The temperature was fitted on {calibration.fitted_on:,} validation rows and is judged here on rows it never saw. "
            "It changes how sure the model is, never what it answers. It is kept with this result."
        )
    elif result.split == "validation":
        st.caption("A temperature is fitted on validation rows, so its effect is shown on the test set.")
    else:
        st.caption("It takes 50 validation rows to fit a temperature that would mend this.")


def _sentence(found: Calibration) -> str:
    error = found.error_before
    if error is None or error.low is None:
        return ""
    if error.low == 0:
        return "**Its confidence may be taken at face value**, as far as these rows can tell."
    surplus = sum(b.confidence - b.right.value for b in found.before) / len(found.before)
    way = "too sure of itself" if surplus > 0 else "less sure than it could be"
    return f"**It is {way}**: its stated confidence is off by {error.value:.0%} on average ({error.low:.0%} to {error.high:.0%})."


def _diagram(found: Calibration, key: str) -> None:
    line = {"color": MARK, "dash": "dash", "width": 1.5}
    figure = go.Figure(go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line=line, hoverinfo="skip", showlegend=False))
    for name, bins, symbol in (("as it is", found.before, "circle"), ("with temperature", found.after, "diamond-open")):
        if bins:
            figure.add_scatter(
                x=[b.confidence for b in bins],
                y=[b.right.value for b in bins],
                name=name,
                mode="markers",
                marker={"size": 9, "symbol": symbol},
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [(b.right.high or 0) - b.right.value for b in bins],
                    "arrayminus": [b.right.value - (b.right.low or 0) for b in bins],
                    "thickness": 1,
                    "width": 0,
                },
                customdata=[b.right.n for b in bins],
                hovertemplate="sure: %{x:.0%}<br>right: %{y:.0%} of %{customdata} rows<extra></extra>",
            )
    least = min((b.confidence for b in (*found.before, *found.after)), default=0.0)
    figure.update_xaxes(title="how sure it says it is", tickformat=".0%", range=[max(0.0, least - 0.04), 1.01])
    figure.update_yaxes(title="how often it is right", tickformat=".0%", range=[-0.02, 1.04])
    figure.update_layout(height=340, legend={"orientation": "h", "y": 1.12})
    show(figure, f"reliability-{key}")
    st.caption(
        "Each point is a fifteenth of the rows with its 95% interval. On the dashed line, 80% sure is right 8 times in 10."
    )
