"""Panels of the Evaluation screen for models that give several labels or a number."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from core.data.statistics import bootstrap_mean
from core.schemas.estimates import Estimate
from core.schemas.evaluation import EvaluationResult
from core.schemas.examples import Example
from core.schemas.number_predictions import NumberPredictions
from core.services import analyses, evaluation_rows
from core.store.tables import Run

from . import parts
from .charts import MARK, show, whiskers

MOST_POINTS = 5_000  # rows drawn; of more an even choice, so that the chart stays quick
WORST = 20


def labels_panel(result: EvaluationResult) -> None:
    """Each label by itself: how often it is there, found, and rightly given, and from which probability."""
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


def numbers_panel(result: EvaluationResult) -> None:
    """Predicted against right number, and how far off it is for small and large ones."""
    found = evaluation_rows.predictions(result, "tuned")
    assert isinstance(found, NumberPredictions)
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
    _residuals(found, result.split)


def _residuals(found: NumberPredictions, key: str) -> None:
    """How far off the predictions are for small, middling and large right numbers: mean and range of each tenth."""
    parts_ = np.array_split(np.argsort(found.gold, kind="stable"), min(10, max(1, len(found) // 10)))
    errors = found.predicted - found.gold
    means = [bootstrap_mean(errors[rows], draws=2_000) for rows in parts_]
    figure = go.Figure()
    figure.add_hline(y=0, line_dash="dash", line_width=1.5, line_color=MARK)
    figure.add_scatter(
        x=[float(found.gold[rows].mean()) for rows in parts_],
        y=[m.value for m in means],
        mode="markers",
        marker={"size": 10},
        error_y=whiskers(means),
        customdata=[len(rows) for rows in parts_],
        hovertemplate="right: about %{x:.4g}<br>off by %{y:+.3g} on average<br>%{customdata} rows<extra></extra>",
        showlegend=False,
    )
    figure.update_layout(xaxis_title="right number", yaxis_title="predicted minus right", height=280)
    show(figure, f"residuals-{key}")
    st.caption(
        "Each point is a tenth of the rows, by their right number, with its 95% interval. Above the line it says too much, below "
        "too little: a slope from left to right means that it stays too near the middle."
    )


def furthest_panel(run: Run, result: EvaluationResult) -> None:
    """The rows that are furthest off, with the most similar training row."""
    rows = evaluation_rows.examples_of_interest(result, "worst", WORST)
    near = analyses.load(result.analysis).neighbours
    best = {row["row_id"]: n.row_id for row in rows for n in near.get(row["row_id"], ())[:1]}
    texts = evaluation_rows.texts(run, [*(row["row_id"] for row in rows), *best.values()])
    table = [
        {
            "text": texts[row["row_id"]].text if row["row_id"] in texts else "",
            "right": row["gold"],
            "predicted": row["tuned"],
            "off by": row["error"],
            "most similar training row": _beside(texts.get(best.get(row["row_id"], ""))),
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


def _beside(example: Example | None) -> str:
    return (
        "" if example is None else f"{example.text} ({example.value:g})" if example.value is not None else example.text
    )
