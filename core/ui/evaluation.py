"""Panels of the Evaluation screen: the verdict first, then figures, classes, and the examples behind them."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from core.data.verdicts import in_sentence, more_rows
from core.schemas.estimates import Verdict
from core.schemas.evaluation import EvaluationResult
from core.schemas.families import FAMILIES
from core.services import analyses, evaluation_rows
from core.store.tables import Run

from . import parts
from .charts import show, whiskers
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
        _more_rows(result)
        if row := result.metric(result.headline):
            st.caption(f"{row.title}: {row.help}")


def _more_rows(result: EvaluationResult) -> None:
    """What one more test row would buy, and what the rows are worth that are not independent."""
    row = result.metric("accuracy") or result.metric(result.headline)
    told = more_rows(row.values["tuned"], row, result.n) if row else ""
    if result.groups and result.groups < result.n:
        alike = result.n - result.groups
        are = (
            "is a near copy of another one or belongs to it"
            if alike == 1
            else "are near copies of others or belong together"
        )
        told += (
            f" {alike:,} of the {result.n:,} rows {are}; every range counts the {result.groups:,} groups, not the rows."
        )
    if told:
        st.caption(told.strip())


def metrics_panel(result: EvaluationResult) -> None:
    """The headline of every contender as a picture, then every metric with n and interval."""
    st.subheader("Figures", anchor=False)
    _bars(result)
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
            error_x=whiskers(values, scale),
            hovertemplate="%{y}: %{x:.3g}<extra></extra>",
        )
    )
    unit = " (%)" if scale == 100 else ""
    better = "more is better" if row.higher_is_better else "less is better"
    figure.update_layout(xaxis_title=f"{in_sentence(row.title)}{unit}, {better}", height=90 + 42 * len(names))
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


def examples_panel(run: Run, result: EvaluationResult) -> None:
    """What was fixed, what was broken, and the surest mistakes, each with the most similar training row."""
    near = analyses.load(result.analysis).neighbours
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
        kinds = {"gained": "Gained most", "lost": "Lost most", "worst": "Worst answers"}
    kind = st.segmented_control(
        "Which rows",
        list(kinds),
        default="confident" if "confident" in kinds else "gained",
        required=True,
        format_func=kinds.__getitem__,
        label_visibility="collapsed",
        key=f"examples-{result.split}-{result.family}",
    )
    rows = evaluation_rows.examples_of_interest(result, kind or next(iter(kinds)))
    if not rows:
        st.caption("None.")
        return
    wanted = {n.row_id for r in rows for n in near.get(r["row_id"], ())[:1]}
    found = evaluation_rows.texts(run, [*(r["row_id"] for r in rows), *wanted])
    if not reads:
        _answers(rows[:10], near, found)
        return
    table = []
    for r in rows:
        line: dict[str, Any] = {"text": found[r["row_id"]].text if r["row_id"] in found else ""}
        line |= {title: r[name] for name, title in COLUMNS.items() if name in r and name != "row_id"}
        for best in near.get(r["row_id"], ())[:1]:
            line["most similar training row"] = found[best.row_id].text if best.row_id in found else ""
            line["its answer"] = best.label
            line["similarity"] = best.similarity
        table.append(line | {"row": r["row_id"]})
    st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        height=380 if len(table) > 9 else "content",
        column_config={
            "how sure": st.column_config.NumberColumn(format="percent"),
            "similarity": st.column_config.NumberColumn(format="percent", help="By the words they share."),
            "row": None,
        },
    )


def _answers(rows: list[dict[str, Any]], near: Mapping[str, Any], found: Mapping[str, Any]) -> None:
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
            for best in near.get(row["row_id"], ())[:1]:
                if best.row_id in found:
                    prompt = found[best.row_id].prompt
                    words = prompt[-1].content if prompt else found[best.row_id].text
                    st.caption(f"Most similar in training ({best.similarity:.0%} by words): {parts.plain(words[:300])}")
