"""The charts of the health report: labels and lengths at a glance, and what a single finding needs."""

from __future__ import annotations

from html import escape
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from core.schemas.findings import Finding
from core.schemas.health import HealthReport

from . import charts
from .differences import visible

BARS = 20  # labels drawn; the others are summed up


def at_a_glance(report: HealthReport, key: str) -> None:
    """Rows of each label and the lengths of the texts, side by side."""
    labels, lengths = report.chart("balance") or report.chart("label_sets"), report.chart("lengths")
    tokens = report.chart("truncation")
    drawn = [d for d in ((_labels, labels), (_tokens if tokens else _lengths, tokens or lengths)) if d[1]]
    for column, (draw, data) in zip(st.columns(len(drawn) or 1), drawn, strict=False):
        with column:
            draw(data, key)


def finding_chart(finding: Finding, key: str) -> None:
    """What helps to see a finding, where there is something to draw."""
    data = finding.data.get("chart") or {}
    if finding.check == "shortcuts" and data.get("words"):
        _words(data["words"])
    elif finding.check == "diversity" and data.get("versions"):
        _versions(data)
    elif finding.check == "toxicity" and data.get("groups"):
        _groups(data["groups"])
    elif finding.check == "real_use":
        _real_use(finding, data, key)
    if finding.data.get("groups") and finding.check == "label_spellings":
        _spellings(finding.data["groups"])


def _labels(data: dict[str, Any], key: str) -> None:
    labels, rows = list(data["labels"]), list(data["rows"])
    if len(labels) > BARS:
        labels = [*labels[:BARS], f"{len(labels) - BARS} more"]
        rows = [*rows[:BARS], sum(rows[BARS:])]
    shown = [escape(visible(label)[:24]) for label in labels]
    even = (
        f" Evenness {data['evenness']:.2f} (1 is all the same)"
        if "evenness" in data
        else " A row may count for several."
    )
    st.caption(f"Rows of each label.{even}")
    figure = go.Figure(go.Bar(x=rows, y=list(range(len(rows))), orientation="h", text=[f"{n:,}" for n in rows]))
    figure.update_traces(cliponaxis=False, textposition="outside", hoverinfo="skip")
    figure.update_yaxes(tickvals=list(range(len(rows))), ticktext=shown, autorange="reversed", showgrid=False)
    figure.update_xaxes(visible=False, range=[0, max(rows) * 1.18])
    figure.update_layout(height=max(150, 40 + 24 * len(rows)), bargap=0.35)
    charts.show(figure, f"labels-{key}")


def _lengths(data: dict[str, Any], key: str) -> None:
    middle, most = data["words"]["p50"], data["words"]["p95"]
    st.caption(f"Words of each text. Half have up to {middle:,}, 95% up to {most:,}")
    _histogram(data["edges"], data["rows"], key, "words")


def _tokens(data: dict[str, Any], key: str) -> None:
    t = data["tokens"]
    st.caption(f"Tokens of each row. Half have up to {t['p50']:,}, 95% up to {t['p95']:,}, 99% up to {t['p99']:,}")
    _histogram(data["edges"], data["rows"], key, "tokens", data["max_length"])


def _histogram(edges: list[int], rows: list[int], key: str, unit: str, limit: int | None = None) -> None:
    filled = [i for i, n in enumerate(rows) if n]
    first, last = (filled[0], filled[-1]) if filled else (0, 0)
    names = [
        f"{edges[i]:,}" if edges[i + 1] - edges[i] == 1 else f"{edges[i]:,} to {edges[i + 1] - 1:,}"
        for i in range(first, last + 1)
    ]
    figure = go.Figure(
        go.Bar(x=names, y=rows[first : last + 1], hovertemplate="%{y:,} rows with %{x} " + unit + "<extra></extra>")
    )
    if limit is not None:
        place = sum(edge <= limit for edge in edges[first : last + 1]) - 0.5
        if place < last - first + 1:
            figure.add_vline(x=place, line_dash="dot", line_width=1.5, line_color=charts.MARK)
            figure.add_annotation(x=place, y=1, yref="paper", text=f"cut at {limit:,}", showarrow=False, xanchor="left")
    figure.update_layout(height=220, bargap=0.12)
    figure.update_yaxes(title=None, rangemode="tozero", nticks=4)
    figure.update_xaxes(type="category", tickangle=-35)
    charts.show(figure, f"lengths-{key}")


def _words(words: list[dict[str, Any]]) -> None:
    with st.expander(f"The {len(words)} words most tied to a label", type="compact"):
        table = [
            {
                "word": w["word"],
                "label": w["label"],
                "rows with it": w["rows"],
                "of these, with the label": w["share"],
                "z": w["z"],
            }
            for w in words
        ]
        st.dataframe(
            table,
            hide_index=True,
            width="stretch",
            column_config={"of these, with the label": st.column_config.NumberColumn(format="percent")},
        )


def _versions(data: dict[str, Any]) -> None:
    now = [
        *({"version": f"version {v['number']}", **v["measures"]} for v in data["versions"]),
        {"version": "this one", **data["now"]},
    ]
    table = [
        {"version": row["version"]}
        | {
            title: f"{row[k]['value']:.2f} ({row[k]['low']:.2f} to {row[k]['high']:.2f})"
            for k, title in data["titles"].items()
            if k in row
        }
        for row in now
    ]
    with st.expander("Beside the earlier versions", type="compact"):
        st.dataframe(table, hide_index=True, width="stretch")


def _groups(groups: list[dict[str, Any]]) -> None:
    with st.expander("How often it marks rows about each group", type="compact"):
        st.dataframe(
            [
                {
                    "rows about": g["title"],
                    "rows": g["n"],
                    "with such a word": f"{g['value']:.1%} ({g['low']:.1%} to {g['high']:.1%})",
                }
                for g in groups
            ],
            hide_index=True,
            width="stretch",
        )


def _spellings(groups: list[dict[str, Any]]) -> None:
    table = [
        {"becomes": group["to"], "spelling": one["shown"], "rows": one["rows"], "why": one["reason"]}
        for group in groups
        for one in group["from"]
    ]
    with st.expander(f"The {len(table)} spellings", type="compact"):
        st.dataframe(table, hide_index=True, width="stretch")


def _real_use(finding: Finding, data: dict[str, Any], key: str) -> None:
    if finding.data.get("examples"):
        with st.expander("What real use has and the examples lack", type="compact"):
            st.dataframe(
                [{"from real use": text} for text in finding.data["examples"]], hide_index=True, width="stretch"
            )
    lengths = data.get("lengths")
    if lengths:
        st.caption("Words of each text, as a share of the texts")
        filled = [i for i, pair in enumerate(zip(lengths["data"], lengths["real"], strict=True)) if any(pair)]
        first, last = filled[0], filled[-1] + 1
        names = [f"{a:,} to {b - 1:,}" for a, b in zip(lengths["edges"], lengths["edges"][1:], strict=False)]
        names = [*names, f"{lengths['edges'][-1]:,} or more"][first:last]
        figure = go.Figure()
        for name, field in (("examples", "data"), ("real use", "real")):
            counts = lengths[field]
            total = max(1, sum(counts))
            figure.add_bar(
                name=name,
                x=names,
                y=[n / total for n in counts[first:last]],
                hovertemplate="%{y:.0%} %{x} words<extra></extra>",
            )
        figure.update_layout(height=220, barmode="group", legend={"orientation": "h", "y": 1.15})
        figure.update_yaxes(tickformat=".0%", nticks=4)
        charts.show(figure, f"real-{key}")
