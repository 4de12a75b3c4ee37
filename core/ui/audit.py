"""Panels of the Bias audit screen: what was found, and what was not tested."""

from __future__ import annotations

from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.schemas.audits import AuditResult
from core.schemas.errors import UserError
from core.services import audits
from core.store.tables import Audit, Run

from . import parts
from .charts import show

PAIRS_SHOWN = 10
ROWS_SHOWN = 200


def settings_panel(run: Run) -> dict[str, dict[str, Any]]:
    """What a person may choose before an audit: columns of their own that say which group a row is about."""
    columns = audits.group_columns(run)
    if not columns:
        return {}
    chosen = st.multiselect(
        "Columns that say which group of people a row is about (optional)",
        list(columns),
        format_func=lambda name: f"{name} ({', '.join(columns[name][:3])}{', …' if len(columns[name]) > 3 else ''})",
        help="For example gender, age group or region. The audit then also compares the labels of these groups.",
        key=f"groups-{run.id}",
    )
    return {"data_coverage": {"columns": chosen}} if chosen else {}


def audit_panel(audit: Audit) -> None:
    """Every audit with its headline, findings, comparisons and pairs; the refused ones with their reason."""
    found = audits.results(audit)
    for key, result in found.items():
        st.subheader(result.title, anchor=False)
        st.markdown(parts.plain(result.headline))
        for finding in result.findings:
            said = "95% interval" in finding.meaning  # the sentence has the figure in its own unit already
            parts.finding_card(finding.model_copy(update={"estimate": None}) if said else finding)
        _comparisons(result)
        _pairs(result)
        _table(key, result)
        if result.top_class_share is not None and result.top_class_share.value > 0.9:
            st.warning("The model gives nearly always the same answer, and looks fair for that reason alone.")
        if result.not_tested:
            with st.expander("What was not tested"):
                for line in result.not_tested:
                    st.markdown(f"- {parts.plain(line)}")
    for reason in audits.refusals(audit).values():
        parts.show_error(UserError.from_dict(dict(reason)))
    st.caption(
        "This is no certificate. It says what was measured on these rows and sentences, in the groups that the word list knows."
    )


def _comparisons(result: AuditResult) -> None:
    """Base against tuned, with the change and its verdict."""
    if not result.comparisons:
        return
    rows = [
        [
            escape(c.metric),
            parts.figure_html(c.base, digits=3),
            parts.figure_html(c.tuned, digits=3),
            parts.figure_html(c.change, digits=3),
            parts.verdict_html(c.verdict),
        ]
        for c in result.comparisons
    ]
    parts.table(["Difference between groups", "base model", "your model", "change", ""], rows)
    unit = f" The unit is {result.unit}." if result.unit else ""
    st.caption(
        f"Nearer to 0 is fairer.{unit} Under each figure: its 95% interval and the number of independent examples."
    )
    figure = go.Figure()
    for name, side in (("base model", "base"), ("your model", "tuned")):
        values = [getattr(c, side) for c in result.comparisons]
        figure.add_scatter(
            name=name,
            x=[v.value for v in values],
            y=[c.metric for c in result.comparisons],
            mode="markers",
            marker={"size": 10},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [(v.high if v.high is not None else v.value) - v.value for v in values],
                "arrayminus": [v.value - (v.low if v.low is not None else v.value) for v in values],
            },
        )
    figure.update_layout(
        height=110 + 42 * len(result.comparisons), xaxis_title=result.unit or "gap", scattermode="group"
    )
    show(figure, f"gaps-{result.audit}")


def _pairs(result: AuditResult) -> None:
    if result.pairs:
        with st.expander("Examples that show it best"):
            st.dataframe(pd.DataFrame(list(result.pairs[:PAIRS_SHOWN])).astype(str), hide_index=True, width="stretch")


def _table(key: str, result: AuditResult) -> None:
    if result.rows:
        with st.expander(f"All figures ({len(result.rows)})"):
            frame = (
                pd.DataFrame(list(result.rows[:ROWS_SHOWN]))
                .map(_flat)
                .rename(columns=lambda c: str(c).replace("_", " "))
            )
            st.dataframe(frame, hide_index=True, width="stretch", key=f"rows-{key}")


def _flat(value: Any) -> Any:
    """Estimates inside a row as one readable cell."""
    if isinstance(value, dict) and "value" in value:
        low, high = value.get("low"), value.get("high")
        interval = f" ({low:.3f} to {high:.3f})" if low is not None and high is not None else ""
        return f"{value['value']:.3f}{interval}, n = {value.get('n')}"
    return str(value) if isinstance(value, list | dict) else value
