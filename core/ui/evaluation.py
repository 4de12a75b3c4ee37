"""Panels of the Evaluation screen: the verdict first, then figures, classes, and the examples behind them."""

from __future__ import annotations

from html import escape
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from core.schemas.estimates import Estimate, Verdict
from core.schemas.evaluation import EvaluationResult
from core.schemas.families import FAMILIES
from core.services import evaluations
from core.store.tables import Run

from . import parts
from .charts import show
from .markup import note, paragraph

CONTENDERS = {
    "tuned": "Your model",
    "base": "Base model",
    "majority": "Most frequent label",
    "mean": "Mean of training",
    "tfidf": "Word counts (TF-IDF)",
    "nearest": "Most similar stored answer",
    "longer": "Always the longer answer",
}
COLUMNS = {
    "gold": "right answer",
    "base": "base model",
    "tuned": "your model",
    "confidence": "how sure",
    "row_id": "row",
}
TOO_MANY_LABELS = 40
NUMBERS_FIT = 15  # labels up to which the confusion matrix shows its numbers
LENGTH = (
    "Add pairs in which the shorter answer is the better one, so that length gives nothing away, and read some answers on the "
    "Samples screen before you trust it."
)
SIMPLER = (
    "Use the simple way, or give fine-tuning more to work with: more examples, mended labels, or a larger base model. The step "
    "from the base model to yours is real all the same."
)


def verdict_panel(result: EvaluationResult) -> None:
    """One verdict and the sentences that a person can repeat."""
    with st.container(border=True):
        parts.verdict_badge(result.verdict)
        first, *rest = result.sentences or ("There is no base model to compare with; the figures are below.",)
        if first.endswith(":") and rest:
            figure = rest.pop(0)
            first = f"{first} {figure[:1].lower()}{figure[1:]}"
        st.html(f'<p class="tw-verdict">{escape(first)}</p>')
        lines = "".join(f"<p>{escape(sentence)}</p>" for sentence in rest)
        st.html(f'<div class="tw-lines">{lines}</div>')
        if result.worth_it is False and result.verdict is Verdict.BETTER:
            if "longer" in result.contents:
                st.html(note("warning", "It may have learnt length more than quality.", paragraph(LENGTH)))
            else:
                st.html(note("warning", "It learnt, but a simpler way does as well or better.", paragraph(SIMPLER)))
        if result.success:
            st.html(f"<p><strong>Your hope:</strong> {escape(result.success['sentence'])}</p>")
        if result.base_note:
            st.caption(result.base_note)


def metrics_panel(result: EvaluationResult) -> None:
    """Every metric for every contender, with n and interval; then the headline as a picture."""
    st.subheader("Figures", anchor=False)
    names = [c for c in CONTENDERS if c in result.contents]
    against = "against base" if "base" in names or "mean" not in names else "against the mean"
    header = ["", "Your model", against, *(CONTENDERS[c] for c in names if c != "tuned")]
    rows = []
    for row in result.metrics:
        share = row.format == "percent"
        verdict = parts.verdict_html(row.comparison.verdict) if row.comparison else parts.figure_html(None)
        others = [parts.figure_html(row.values.get(c), share=share) for c in names if c != "tuned"]
        name = f'<span title="{escape(row.help)}">{escape(row.title)}</span>'
        rows.append([name, parts.figure_html(row.values.get("tuned"), share=share), verdict, *others])
    parts.table(header, rows)
    st.caption("Under each figure: its 95% interval and the number of rows it rests on.")
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
        header = ["", f"all {result.n:,} rows", f"without repeats, {honest.n:,} rows", "base model without repeats"]
        rows = []
        for row in honest.metrics:
            if row.key in whole:
                values = (whole[row.key].values.get("tuned"), row.values.get("tuned"), row.values.get("base"))
                figures = [parts.figure_html(value, share=row.format == "percent") for value in values]
                rows.append([escape(row.title), *figures])
        if rows:
            parts.table(header, rows)
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
    st.dataframe(figures, hide_index=True, width="stretch", height=420 if len(figures) > 11 else "content")
    if len(result.labels) > TOO_MANY_LABELS:
        st.caption(f"{len(result.labels)} categories are too many for a readable matrix; choose a pair below.")
    else:
        _matrix(result)
    confused = sorted(
        (
            (result.matrix[i][j], a, b)
            for i, a in enumerate(result.labels)
            for j, b in enumerate(result.labels)
            if i != j
        ),
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
    """With numbers while they fit: as a table, whose colours follow the theme at once. Else as a picture."""
    if len(result.labels) <= NUMBERS_FIT:
        st.html(_matrix_html(result))
        return
    figure = go.Figure(
        go.Heatmap(
            z=[[n or None for n in counts] for counts in result.matrix],
            x=result.labels,
            y=result.labels,
            # From nearly transparent to the accent colour, so that it fits a light and a dark page.
            colorscale=[[0, "rgba(26,143,132,0.10)"], [1, "rgba(26,143,132,0.95)"]],
            zmin=0,
            showscale=False,
            hoverongaps=False,
            hovertemplate="right: %{y}<br>said: %{x}<br>%{z} rows<extra></extra>",
        )
    )
    figure.update_layout(
        xaxis_title="what the model said",
        yaxis_title="what is right",
        yaxis_autorange="reversed",
        height=max(320, 60 + 34 * len(result.labels)),
    )
    figure.update_xaxes(type="category", showgrid=False)
    figure.update_yaxes(type="category", showgrid=False)
    show(figure, f"matrix-{result.split}")


def _matrix_html(result: EvaluationResult) -> str:
    most = max((n for counts in result.matrix for n in counts), default=0) or 1
    head = "".join(f'<th scope="col">{escape(label)}</th>' for label in result.labels)
    body = []
    for i, (right, counts) in enumerate(zip(result.labels, result.matrix, strict=True)):
        cells = []
        for j, (said, n) in enumerate(zip(result.labels, counts, strict=True)):
            title = escape(f"{right}, called {said}: {n} rows")
            strength = f' style="--tw-share:{round(100 * n / most)}%"' if n else ""
            cells.append(f'<td class="{"tw-right" if i == j else "tw-wrong"}" title="{title}"{strength}>{n or ""}</td>')
        body.append(f'<tr><th scope="row">{escape(right)}</th>{"".join(cells)}</tr>')
    return (
        '<div class="tw-wide"><table class="tw-matrix"><caption>Each row is a right answer, each column what the model said.'
        f"</caption><thead><tr><th></th>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def examples_panel(run: Run, result: EvaluationResult) -> None:
    """What was fixed, what was broken, and the surest mistakes."""
    st.subheader("Examples", anchor=False)
    reads = FAMILIES[result.family].reads
    if reads and "base" not in result.contents and result.family == "multi-label":
        kinds = {"confident": "Wrong"}
    elif reads:
        kinds = {
            "fixed": f"Fixed ({result.fixed})",
            "broken": f"Broken ({result.broken})",
            "confident": "Sure and wrong" if result.family == "classifier" else "Wrong",
        }
    else:
        kinds = {"gained": "Gained most", "lost": "Lost most"}
    for tab, kind in zip(st.tabs(list(kinds.values())), kinds, strict=True):
        with tab:
            rows = evaluations.examples_of_interest(result, kind)
            if not rows:
                st.caption("None.")
            elif reads:
                found = evaluations.texts(run, [r["row_id"] for r in rows])
                table = [
                    {"text": found[r["row_id"]].text if r["row_id"] in found else ""}
                    | {title: r[name] for name, title in COLUMNS.items() if name in r}
                    for r in rows
                ]
                config = {"how sure": st.column_config.NumberColumn(format="percent")}
                st.dataframe(
                    table,
                    hide_index=True,
                    width="stretch",
                    height=320 if len(table) > 8 else "content",
                    column_config=config,
                )
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
