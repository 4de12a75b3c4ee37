"""All audited rounds as one picture: how large the gap between groups is, and how good the model."""

from __future__ import annotations

from html import escape

import plotly.graph_objects as go
import streamlit as st

from core.data.lexicon import load_lexicon
from core.schemas.estimates import Estimate
from core.services import audit_frontier
from core.services.audit_frontier import Frontier, axis_titles, label, scales
from core.store.tables import Project

from . import charts, parts
from .rounds import measure_button

ALL = ""
PLACES = ("top right", "bottom right", "top left", "bottom left")


def frontier_panel(project: Project) -> None:
    """The plot with its choices and the same figures as a table; in words why where there is nothing to draw."""
    found = audit_frontier.of_project(project)
    if not found.audits:
        st.info("No round is audited yet. Audit at least two, for example before and after a corrective action.")
        return
    left, right = st.columns(2)
    titles = dict(found.audits)
    audit = left.selectbox(
        "Measured by", list(titles), format_func=titles.__getitem__, key=f"frontier-audit-{project.id}"
    )
    axis = right.selectbox(
        "Kinds of groups", [ALL, *found.axes], format_func=_axis_title, key=f"frontier-axis-{project.id}"
    )
    found = audit_frontier.of_project(project, audit, axis)
    if len(found.points) > 1:
        _plot(found)
        _table(found)
    elif found.points:
        st.info(
            "Only one round can be drawn. Take a corrective action, and this shows what it bought and what it cost."
        )
        _table(found)
    else:
        st.info("No round can be drawn yet.")
    _left_out(project, found)


def _axis_title(key: str) -> str:
    if key == ALL:
        return "All together"
    return next((axis.title for axis in load_lexicon().axes if axis.key == key), key)


def _plot(found: Frontier) -> None:
    gap_scale, quality_scale = scales(found)
    figure = go.Figure()
    best = sorted((p for p in found.points if p.frontier), key=lambda p: p.gap.value)
    figure.add_scatter(
        x=[gap_scale * p.gap.value for p in best], y=[quality_scale * p.quality.value for p in best], mode="lines",
        line={"color": charts.COLOURS[0], "width": 1.5, "dash": "dot"}, hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    for frontier, name, symbol in ((True, "no round is better in both", "circle"), (False, "others", "circle-open")):
        chosen = [p for p in found.points if p.frontier == frontier]
        if not chosen:
            continue
        figure.add_scatter(
            x=[gap_scale * p.gap.value for p in chosen],
            y=[quality_scale * p.quality.value for p in chosen],
            error_x=charts.whiskers([p.gap for p in chosen], gap_scale, thickness=1.2),
            error_y=charts.whiskers([p.quality for p in chosen], quality_scale, thickness=1.2),
            mode="markers+text",
            text=[label(p) for p in chosen],
            cliponaxis=False,
            textposition=[PLACES[found.points.index(p) % len(PLACES)] for p in chosen],
            customdata=[
                [label(p), parts.basis(p.gap, gap_scale), parts.basis(p.quality, quality_scale)] for p in chosen
            ],
            hovertemplate="round %{customdata[0]}<br>gap %{x:.3g} (%{customdata[1]})<br>"
            "%{y:.3g} (%{customdata[2]})<extra></extra>",
            marker={"size": 12, "symbol": symbol, "line": {"width": 2}, "color": charts.COLOURS[0 if frontier else 6]},
            name=name,
        )
    x, y = axis_titles(found)
    figure.update_xaxes(title=x, rangemode="tozero")
    figure.update_yaxes(title=y)
    figure.update_layout(height=380, legend={"orientation": "h", "y": 1.12, "x": 0})
    charts.show(figure, "audit-frontier")
    st.caption(
        f"Each mark is a round; the lines through it are 95% intervals. Gaps are measured on the {found.shared:,} texts that all "
        "drawn rounds share, quality on validation rows. The dotted line joins the rounds that no other round beats in both, "
        "by their measured values: where intervals overlap, that may be chance."
    )


def _table(found: Frontier) -> None:
    assert found.metric is not None
    gap_scale, quality_scale = scales(found)
    rows = [
        [
            f"{p.number} · {escape(p.name)}",
            escape(p.action or "no corrective action"),
            parts.figure_html(_times(p.gap, gap_scale), digits=1 if gap_scale == 100 else 3),
            parts.figure_html(p.quality, share=quality_scale == 100),
            "no round is better in both" if p.frontier else "another round is better in both",
        ]
        for p in found.points
    ]
    unit = "points" if gap_scale == 100 else found.unit
    parts.table(["Round", "came from", f"gap between groups ({unit})", found.metric.title.lower(), ""], rows)


def _times(estimate: Estimate, factor: float) -> Estimate:
    ends = {end: None if (value := getattr(estimate, end)) is None else factor * value for end in ("low", "high")}
    return estimate.model_copy(update={"value": factor * estimate.value, **ends})


def _left_out(project: Project, found: Frontier) -> None:
    if not found.left_out:
        return
    st.caption("Not drawn: " + "; ".join(f"round {number} ({why})" for number, why in found.left_out) + ".")
    measure_button(project, found.to_measure)
