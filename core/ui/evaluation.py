"""Panels of the Evaluation screen: the verdict first, then figures, classes, and the examples behind them."""

from __future__ import annotations

from html import escape
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from core.schemas.estimates import Estimate
from core.schemas.evaluation import EvaluationResult, MetricRow
from core.services import evaluations
from core.store.tables import Run

from . import parts
from .charts import show
from .markup import note, paragraph

CONTENDERS = {
    "tuned": "Your model",
    "base": "Base model",
    "majority": "Most frequent label",
    "tfidf": "Word counts (TF-IDF)",
    "nearest": "Most similar stored answer",
}
TOO_MANY_LABELS = 40


def verdict_panel(result: EvaluationResult) -> None:
    """One verdict and the sentences that a person can repeat."""
    with st.container(border=True):
        parts.verdict_badge(result.verdict)
        first, *rest = result.sentences or ("There is no base model to compare with; the figures are below.",)
        st.html(f'<p class="tw-verdict">{escape(first)}</p>')
        for sentence in rest:
            st.text(sentence)
        if result.success:
            st.html(f"<p><strong>Your hope:</strong> {escape(result.success['sentence'])}</p>")
        if result.base_note:
            st.caption(result.base_note)


def _shown(estimate: Estimate | None, row: MetricRow) -> str:
    if estimate is None:
        return "–"
    return parts.percent(estimate) if row.format == "percent" else parts.number(estimate)


def metrics_panel(result: EvaluationResult) -> None:
    """Every metric for every contender, with n and interval; then the headline as a picture."""
    st.subheader("Figures", anchor=False)
    names = [c for c in CONTENDERS if c in result.contents]
    table = []
    for row in result.metrics:
        line = {"": row.title} | {CONTENDERS[c]: _shown(row.values.get(c), row) for c in names}
        line["Your model against base"] = row.comparison.verdict.value if row.comparison else "–"
        table.append(line)
    st.dataframe(table, hide_index=True, width="stretch")
    st.caption("In brackets: the 95% interval and the number of rows.")
    with st.expander("What these figures mean", icon=":material/help:"):
        for row in result.metrics:
            st.markdown(f"**{row.title}**: {row.help}")
    for row in result.metrics:
        if row.warning:
            st.caption(f":material/info: {row.title}: {row.warning}")
    _bars(result)


def _bars(result: EvaluationResult) -> None:
    """The headline metric of all contenders with their intervals."""
    row = result.metric(result.headline)
    if row is None:
        return
    names = [c for c in CONTENDERS if c in row.values][::-1]
    scale = 100 if row.format == "percent" else 1
    values = [row.values[c] for c in names]
    figure = go.Figure(
        go.Scatter(
            x=[scale * v.value for v in values],
            y=[CONTENDERS[c] for c in names],
            mode="markers",
            marker={"size": 11},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [scale * ((v.high if v.high is not None else v.value) - v.value) for v in values],
                "arrayminus": [scale * (v.value - (v.low if v.low is not None else v.value)) for v in values],
            },
            hovertemplate="%{y}: %{x:.3g}<extra></extra>",
        )
    )
    unit = " (%)" if scale == 100 else ""
    better = "more is better" if row.higher_is_better else "less is better"
    figure.update_layout(xaxis_title=f"{row.title.lower()}{unit}, {better}", height=90 + 42 * len(names))
    show(figure, f"bars-{result.split}")


def honest_panel(result: EvaluationResult) -> None:
    """Where rows of the test repeat training rows: the inflated figures beside the honest ones."""
    honest = result.honest
    if honest is None:
        return
    whole = {row.key: row for row in result.metrics}
    with st.container(border=True):
        st.html(note("warning", "Some of these rows were in training", paragraph(honest.sentence)))
        table = [
            {
                "": row.title,
                f"all {result.n:,} rows": _shown(whole[row.key].values.get("tuned"), row),
                f"without repeats, {honest.n:,} rows": _shown(row.values.get("tuned"), row),
                "base model without repeats": _shown(row.values.get("base"), row),
            }
            for row in honest.metrics
            if row.key in whole
        ]
        if table:
            st.dataframe(table, hide_index=True, width="stretch")
        st.caption("To avoid this, choose “Keep nearly equal texts together” under Split on the Tokenization screen.")


def classes_panel(run: Run, result: EvaluationResult) -> None:
    """Per class, and the confusion matrix whose cells open their rows."""
    st.subheader("By category", anchor=False)
    figures = []
    for row in result.per_class:
        line: dict[str, Any] = {"category": row["label"], "rows": row["n"]}
        for name in ("precision", "recall", "f1"):
            estimate = row[name]
            line[name] = parts.percent(Estimate.model_validate(estimate)) if estimate else "–"
        line["note"] = "too few rows to judge" if row["few"] else ""
        figures.append(line)
    st.dataframe(figures, hide_index=True, width="stretch", height=min(420, 38 + 35 * len(figures)))
    if len(result.labels) > TOO_MANY_LABELS:
        st.caption(f"{len(result.labels)} categories are too many for a readable matrix; choose a pair below.")
    else:
        _matrix(result)
    confused = sorted(
        ((result.matrix[i][j], a, b) for i, a in enumerate(result.labels) for j, b in enumerate(result.labels) if i != j),
        reverse=True,
    )
    pairs = [(n, a, b) for n, a, b in confused if n][:100]
    if not pairs:
        st.success("No row was put into a wrong category.")
        return
    chosen = st.selectbox("Open the rows of", pairs, format_func=lambda p: f"{p[1]} taken for {p[2]} ({p[0]})")
    rows = evaluations.cell(result, chosen[1], chosen[2])
    found = evaluations.texts(run, rows)
    st.dataframe(
        [{"row": r, "text": found[r].text} for r in rows if r in found], hide_index=True, width="stretch", height=240
    )


def _matrix(result: EvaluationResult) -> None:
    figure = go.Figure(
        go.Heatmap(
            z=result.matrix,
            x=result.labels,
            y=result.labels,
            colorscale="Teal",
            showscale=False,
            texttemplate="%{z}" if len(result.labels) <= 15 else None,
            hovertemplate="right: %{y}<br>said: %{x}<br>%{z} rows<extra></extra>",
        )
    )
    figure.update_layout(
        xaxis_title="what the model said",
        yaxis_title="what is right",
        yaxis_autorange="reversed",
        height=max(320, 60 + 34 * len(result.labels)),
    )
    figure.update_xaxes(type="category")
    figure.update_yaxes(type="category")
    show(figure, f"matrix-{result.split}")


def examples_panel(run: Run, result: EvaluationResult) -> None:
    """What was fixed, what was broken, and the surest mistakes."""
    st.subheader("Examples", anchor=False)
    if result.family == "classifier":
        kinds = {"fixed": f"Fixed ({result.fixed})", "broken": f"Broken ({result.broken})", "confident": "Sure and wrong"}
    else:
        kinds = {"gained": "Gained most", "lost": "Lost most"}
    for tab, kind in zip(st.tabs(list(kinds.values())), kinds, strict=True):
        with tab:
            rows = evaluations.examples_of_interest(result, kind)
            if not rows:
                st.caption("None.")
            elif result.family == "classifier":
                found = evaluations.texts(run, [r["row_id"] for r in rows])
                table = [{"text": found[r["row_id"]].text if r["row_id"] in found else "", **r} for r in rows]
                st.dataframe(table, hide_index=True, width="stretch", height=320)
            else:
                _answers(rows[:10])


def _answers(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        with st.container(border=True):
            st.text(row["prompt"])
            left, middle, right = st.columns(3)
            for column, title, text in (
                (left, "Base model", row["base_text"]),
                (middle, "Your model", row["tuned_text"]),
                (right, "From your data", row["reference"]),
            ):
                column.caption(title)
                column.text("(not written: only its likelihood was measured)" if text is None else text or "(nothing)")
