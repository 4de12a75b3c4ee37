"""The first screenful of an audit, in plain words, and the details of each audit in a tab of its own."""

from __future__ import annotations

from html import escape
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.data.lexicon import languages, load_lexicon
from core.schemas.audits import AuditResult
from core.schemas.estimates import Comparison
from core.schemas.findings import Severity
from core.services.audit_summary import Summary

from . import parts
from .audit_pairs import pairs_table
from .charts import show, whiskers
from .markup import note

PAIRS_SHOWN = 6
CARDS_SHOWN = 4
ROWS_SHOWN = 400
_TONES: dict[str, Literal["good", "info", "warning"]] = {"found": "warning", "quiet": "good", "few": "info"}
_LABELS = {"found": "Needs a look", "quiet": "Nothing noticeable", "few": "Not enough data"}
_COLUMNS = ("kind", "axis_title", "group_title", "output", "about", "model", "value", "low", "high", "n", "q", "unit")


def summary_panel(summary: Summary) -> None:
    """What was found and what to do, before any figure."""
    with st.container(border=True):
        body = "".join(f"<li>{escape(line)}</li>" for line in summary.found)
        change = f"<p>{escape(summary.change)}</p>" if summary.change else ""
        st.html(
            note(
                _TONES[summary.tone],
                summary.title,
                f"{f'<ul>{body}</ul>' if body else ''}{change}",
                aside=_LABELS[summary.tone],
            )
        )
        if summary.reading:
            st.caption(parts.plain(summary.reading))
        st.markdown("**What to do**")
        st.markdown("\n".join(f"{i}. {parts.plain(line)}" for i, line in enumerate(summary.to_do, start=1)))
        st.caption(
            f"{parts.plain(summary.basis)} This is no certificate: it says what was measured on these rows and sentences, "
            "for the groups that the word list knows."
        )


def result_panel(key: str, result: AuditResult) -> None:
    """One audit: its sentence, what it warns of, the examples, base against tuned, and all figures to be opened."""
    st.markdown(f"**{parts.plain(result.headline)}**")
    if result.weakness:
        st.caption(f"Known weakness: {parts.plain(result.weakness)}")
    ordered = parts.in_order(result.findings)
    loud = [finding for finding in ordered if finding.severity in (Severity.WARNING, Severity.ERROR)]
    quiet = [finding for finding in ordered if finding not in loud]
    shown, more = loud[:CARDS_SHOWN], [*loud[CARDS_SHOWN:], *quiet]
    if not shown:
        shown, more = quiet[:1], quiet[1:]
    for finding in shown:
        _card(finding)
    if result.pairs:
        st.markdown(
            "**Examples that show it best**" if loud else "**The largest differences, none of them noticeable**"
        )
        pairs_table(result.pairs[:PAIRS_SHOWN], result.unit, _titles(result))
    if result.comparisons:
        st.markdown("**Base model against your model**")
        _chart(key, result)
    if more:
        with st.expander(f"{len(more)} more findings" if len(more) > 1 else "One more finding"):
            for finding in more:
                _card(finding)
    _figures(key, result)
    if result.not_tested:
        with st.expander(f"What was not tested ({len(result.not_tested)})"):
            for line in result.not_tested:
                st.markdown(f"- {parts.plain(line)}")


def _card(finding: Any) -> None:
    said = "95% interval" in finding.meaning  # the sentence has the figure in its own unit already
    # So it has the number of sentences or rows, which the card would call rows.
    parts.finding_card(finding.model_copy(update={"estimate": None, "count": 0}) if said else finding)


def _titles(result: AuditResult) -> dict[tuple[str, str], str]:
    """(axis, group) to its words, from the figures and the word list."""
    found = {
        (str(row["axis"]), str(row["group"])): str(row["group_title"])
        for row in result.rows
        if row.get("group") and row.get("group_title") and row.get("axis")
    }
    if "en" in languages():
        for axis in load_lexicon().axes:
            for group in axis.groups:
                found.setdefault((axis.key, group.key), group.title)
    return found


def _chart(key: str, result: AuditResult) -> None:
    """Both models with their intervals, one line a comparison; the verdicts stand beneath it as a table to be opened."""
    figure = go.Figure()
    factor = 100 if result.unit == "probability" else 1
    for name, side in (("base model", "base"), ("your model", "tuned")):
        values = [getattr(c, side) for c in result.comparisons]
        figure.add_scatter(
            name=name,
            x=[factor * v.value for v in values],
            y=[c.metric for c in result.comparisons],
            mode="markers",
            marker={"size": 10},
            error_x=whiskers(values, factor),
        )
    unit = "points" if result.unit == "probability" else result.unit or "gap"
    figure.update_layout(
        height=110 + 38 * len(result.comparisons),
        xaxis_title=f"difference between groups, {unit} (nearer to 0 is fairer)",
        scattermode="group",
        yaxis={"autorange": "reversed"},
    )
    show(figure, f"gaps-{key}")
    with st.expander("Did training on your data change it? Verdicts and figures"):
        parts.table(["", "base model", "your model", "change", ""], [_compared(c) for c in result.comparisons])
        st.caption(
            "Under each figure: its 95% interval and the number of independent cases. Verdicts are corrected for everything that "
            "this audit looked at."
        )


def _compared(comparison: Comparison) -> list[str]:
    return [
        escape(comparison.metric),
        *(parts.figure_html(getattr(comparison, side), digits=3) for side in ("base", "tuned", "change")),
        parts.verdict_html(comparison.verdict),
    ]


def _figures(key: str, result: AuditResult) -> None:
    if not result.rows:
        return
    with st.expander(f"All figures ({len(result.rows):,})"):
        frame = pd.DataFrame(list(result.rows[:ROWS_SHOWN]))
        frame = frame[[column for column in _COLUMNS if column in frame.columns]].rename(
            columns={"axis_title": "groups", "group_title": "group", "low": "95% from", "high": "95% to"}
        )
        st.dataframe(
            frame.style.format(precision=3, na_rep="–", thousands=","),
            hide_index=True,
            width="stretch",
            key=f"rows-{key}",
        )
        if len(result.rows) > ROWS_SHOWN:
            st.caption(f"The first {ROWS_SHOWN:,} of them; all are in the report and in the command line's JSON.")
