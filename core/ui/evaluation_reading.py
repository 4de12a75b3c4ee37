"""Panels of the Evaluation screen for models that give several labels or a number."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from core.schemas.estimates import Estimate
from core.schemas.evaluation import EvaluationResult
from core.schemas.number_predictions import NumberPredictions
from core.services import evaluations
from core.store.tables import Run

from . import parts
from .charts import MARK, show

MOST_POINTS = 5_000  # rows drawn; of more an even choice, so that the chart stays quick
WORST = 20


def labels_panel(result: EvaluationResult) -> None:
    """Each label by itself: how often it is there, found, and rightly given, and from which probability."""
    st.subheader("By label", anchor=False)
    thresholds = dict(zip(result.labels, result.thresholds, strict=False))
    figures = []
    for row in result.per_class:
        line: dict[str, Any] = {"label": row["label"], "rows": row["n"], "given": row["n_predicted"]}
        for name in ("precision", "recall", "f1"):
            estimate = row[name]
            line[name] = parts.percent(Estimate.model_validate(estimate)) if estimate else "–"
        line["given from"] = (
            f"{100 * thresholds[row['label']]:.0f}%" if row["label"] in thresholds else "not known to it"
        )
        if any(other["few"] for other in result.per_class):
            line["note"] = "too few rows to judge" if row["few"] else ""
        figures.append(line)
    st.dataframe(figures, hide_index=True, width="stretch", height=420 if len(figures) > 11 else "content")
    st.caption(
        "Precision: of the texts that were given the label, how many have it. Recall: of those that have it, how many were "
        "found. Thresholds other than 50% were chosen on validation rows, never on test rows."
    )


def numbers_panel(run: Run, result: EvaluationResult) -> None:
    """Predicted against right number, and the rows that are furthest off."""
    found = evaluations.predictions(result, "tuned")
    assert isinstance(found, NumberPredictions)
    st.subheader("Predicted against right", anchor=False)
    step = -(-len(found) // MOST_POINTS)
    items = found.items[::step]
    low, high = min(found.gold.min(), found.predicted.min()), max(found.gold.max(), found.predicted.max())
    figure = go.Figure(
        [
            go.Scatter(
                x=[low, high],
                y=[low, high],
                mode="lines",
                line={"color": MARK, "dash": "dash", "width": 1.5},
                hoverinfo="skip",
                showlegend=False,
            ),
            go.Scatter(
                x=[item.gold for item in items],
                y=[item.predicted for item in items],
                mode="markers",
                marker={"size": 6, "opacity": 0.55},
                hovertemplate="right: %{x:.4g}<br>predicted: %{y:.4g}<extra></extra>",
                showlegend=False,
            ),
        ]
    )
    figure.update_layout(xaxis_title="right number", yaxis_title="predicted number", height=380)
    show(figure, f"numbers-{result.split}")
    sampled = f" {len(items):,} of {len(found):,} rows are drawn." if step > 1 else ""
    st.caption(f"Each point is a row. On the dashed line a prediction is exactly right.{sampled}")
    st.subheader("Furthest off", anchor=False)
    rows = evaluations.examples_of_interest(result, "worst", WORST)
    texts = evaluations.texts(run, [row["row_id"] for row in rows])
    table = [
        {
            "text": texts[row["row_id"]].text if row["row_id"] in texts else "",
            "right": row["gold"],
            "predicted": row["tuned"],
            "off by": row["error"],
            "row": row["row_id"],
        }
        for row in rows
    ]
    number = st.column_config.NumberColumn(format="%.4g")
    st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        height=320 if len(table) > 8 else "content",
        column_config={"right": number, "predicted": number, "off by": number},
    )
