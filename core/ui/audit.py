"""Panels of the Bias audit screen: what was found, what was not tested, and the way from a finding to a checked fix."""

from __future__ import annotations

from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core.schemas.audits import AuditResult, GateState
from core.schemas.errors import UserError
from core.services import audits, runs
from core.store.tables import Audit, Correction, Project, Run
from core.tasks import registry as tasks

from . import jobs, parts, screens
from .charts import show

STATES = {
    GateState.VERIFIED: ("Verified", "green"),
    GateState.NOT_VERIFIED: ("Not verified", "orange"),
    GateState.REFUSED: ("Refused", "red"),
}
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


def action_panel(project: Project, run: Run, audit: Audit) -> None:
    """Choose an action, look at twenty of its rows, strike bad ones, then retrain and audit again."""
    known = audits.actions(tasks()[run.task].family)
    if not known:
        st.info("No corrective action is there for this kind of model yet.")
        return
    chosen = st.selectbox("Action", list(known), format_func=lambda key: known[key].title)
    action = known[chosen]
    st.caption(action.help)
    result = parts.form(action.config, {}, level="basic", key_prefix=f"action-{run.id}-{chosen}")
    if result.model is None:
        return
    config = result.model.model_dump(mode="json")
    rows = audits.preview(run, chosen, config)
    st.markdown(f"**{len(rows)} of the rows it would add** to the training part. Untick those that make no sense.")
    table = pd.DataFrame(
        [{"keep": True, "before": r.before, "after": r.after, "label": r.label or "", "row": r.row_id} for r in rows]
    )
    edited = st.data_editor(
        table, hide_index=True, width="stretch", disabled=["before", "after", "label", "row"], key=f"swaps-{run.id}"
    )
    struck = [row["row"] for row in edited.to_dict("records") if not row["keep"]]
    if st.button("Apply, train again and audit again", type="primary", icon=":material/balance:"):
        correction = audits.correct(run, audit, chosen, config, struck)
        screens.go("bias", correction=correction.id)


def corrections_panel(project: Project) -> None:
    """Every corrective action with its outcome: before and after, quality included."""
    found = audits.corrections(project.id)
    if not found:
        return
    st.subheader("Corrective actions", anchor=False)
    for correction in found:
        with st.container(border=True):
            _correction(correction)


def _correction(correction: Correction) -> None:
    after = runs.get(str(correction.run_after_id))
    before = runs.get(str(correction.run_before_id))
    job = runs.job_of(after)
    st.markdown(f"**{parts.plain(after.note)}**: round {before.number} → round {after.number}")
    st.caption(f"{correction.config.get('added', 0):,} rows added to the training part.")
    if job is not None and job.state.active:
        jobs.watch(job.id, "Training again and auditing again")
        return
    if job is not None and job.error:
        jobs.failed(job)
        return
    judged = audits.outcome(correction)
    titles = {key: audit.title for key, audit in audits.available(tasks()[after.task].family).items()}
    if not judged and job is not None:
        st.info("It could not be judged: the audits before and after share no measured gap.")
    for key, gate in judged.items():
        title, colour = STATES[gate.state]
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(title, color=colour)  # type: ignore[arg-type]
            st.html(f"<span>by: {titles.get(key, key)}</span>", width="content")
        for reason in gate.reasons:
            st.markdown(f"- {parts.plain(reason)}")
        if gate.gap_change:
            st.caption(f"Gap, after minus before: {parts.number(gate.gap_change, 3)}")
        if gate.quality_change:
            st.caption(f"Quality, after minus before: {parts.points(gate.quality_change)}")
