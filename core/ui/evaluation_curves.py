"""Panel of the Evaluation screen: ROC and precision-recall curves, one label against the rest."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from core.schemas.analysis import Analysis, ScoreCurve
from core.schemas.evaluation import EvaluationResult

from . import parts
from .charts import MARK, show

DRAWN = 4


def curves_panel(result: EvaluationResult, found: Analysis) -> None:
    """Curves of a few chosen labels, and the areas of all of them as a table."""
    if not found.curves:
        st.caption("Curves need probabilities, and test rows with and without a label.")
        return
    by_label = {curve.label: curve for curve in found.curves}
    if len(by_label) == 1:
        chosen = list(by_label)
        st.caption(f"“{chosen[0]}” against the rest. With two categories the other one is its mirror.")
    else:
        chosen = st.multiselect("Against the rest", list(by_label), list(by_label)[:DRAWN], max_selections=7)
    drawn = [by_label[label] for label in chosen]
    if not drawn:
        st.caption("Choose at least one label.")
        return
    left, right = st.columns(2)
    with left:
        _roc(drawn, result.split)
    with right:
        _precision_recall(drawn, result.split)
    parts.table(
        ["", "rows", "area under ROC", "average precision"],
        [
            [
                parts.plain(curve.label),
                f"{curve.n:,}",
                parts.figure_html(curve.auc, share=True),
                parts.figure_html(curve.average_precision, share=True),
            ]
            for curve in drawn
        ],
    )
    st.caption(
        "Left: how many of the label's rows are found at each rate of false alarms; the dashed line is guessing. Right: how "
        "many of the alarms are right; the dotted line is what guessing would reach. Average precision of a rare label is "
        "read against its share of the rows."
    )


def _roc(drawn: list[ScoreCurve], key: str) -> None:
    figure = go.Figure()
    for curve in drawn:
        figure.add_scatter(x=[p[0] for p in curve.roc], y=[p[1] for p in curve.roc], mode="lines", name=curve.label)
    figure.add_trace(_guess([0, 1], [0, 1], "dash"))  # last, so that a label has one colour in both charts
    _axes(figure, "false alarms", "found", len(drawn))
    show(figure, f"roc-{key}")


def _precision_recall(drawn: list[ScoreCurve], key: str) -> None:
    figure = go.Figure()
    for curve in drawn:
        points = curve.precision_recall
        figure.add_scatter(x=[p[0] for p in points], y=[p[1] for p in points], mode="lines", name=curve.label)
    if len(drawn) == 1:
        figure.add_trace(_guess([0, 1], [drawn[0].share] * 2, "dot"))
    _axes(figure, "found (recall)", "alarms that are right (precision)", len(drawn))
    show(figure, f"pr-{key}")


def _guess(x: list[float], y: list[float], dash: str) -> go.Scatter:
    line = {"color": MARK, "dash": dash, "width": 1.5}
    return go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False)


def _axes(figure: go.Figure, x: str, y: str, curves: int) -> None:
    figure.update_traces(hovertemplate="%{x:.0%}, %{y:.0%}", selector={"showlegend": None})
    figure.update_xaxes(title=x, tickformat=".0%", range=[-0.01, 1.01])
    figure.update_yaxes(title=y, tickformat=".0%", range=[-0.01, 1.03])
    figure.update_layout(height=330, showlegend=curves > 1, legend={"orientation": "h", "y": -0.28})
