"""Charts of the audit of the data: heat maps whose cells can be pressed, and rates inside a third column."""

from __future__ import annotations

from html import escape
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from .charts import COLOURS, CONFIG, show
from .differences import visible

MORE, LESS = COLOURS[1], COLOURS[2]
SCALE = [[0, LESS], [0.5, "rgba(125, 138, 134, 0.24)"], [1, MORE]]
FAR = 0.3  # difference of shares from which on the colour is full
HIGH, WIDE = 34, 18  # pixels of a line; letters of a name


def rates(cells: list[dict[str, Any]], flagged: set[tuple[str, str, str]], key: str) -> int | None:
    """Groups down, labels and tones across. Returns the number of the cell that was pressed."""
    rows = list(dict.fromkeys(cell["group_title"] for cell in cells))
    columns = list(dict.fromkeys(cell["label"] for cell in cells))
    frames = [i for i, cell in enumerate(cells) if (cell["axis"], cell["group"], cell["label"]) in flagged]
    told = [_told(cell) for cell in cells]
    values = [_gap(cell) for cell in cells]
    return _map(cells, [(c["group_title"], c["label"]) for c in cells], rows, columns, values, told, frames, key)


def pairs(cells: list[dict[str, Any]], label: str | None, key: str) -> int | None:
    """Groups of one kind down, of another across; the rate of a label where rows suffice."""
    rows = list(dict.fromkeys(cell["group_titles"][0] for cell in cells))
    columns = list(dict.fromkeys(cell["group_titles"][1] for cell in cells))
    judged = [cell["rates"][label] for cell in cells if label and cell["judged"]]
    middle = sum(judged) / len(judged) if judged else 0.0
    values = [cell["rates"][label] - middle if label and cell["judged"] else None for cell in cells]
    told = [
        (
            f"{cell['rates'][label]:.0%}" if label else f"{cell['n']:,}",
            f"{escape(' and '.join(cell['group_titles']))}: {cell['n']:,} rows"
            + (f"<br>{cell['rates'][label]:.0%} “{_name(label)}”" if label else ""),
        )
        for cell in cells
    ]
    places = [(cell["group_titles"][0], cell["group_titles"][1]) for cell in cells]
    return _map(cells, places, rows, columns, values, told, [], key)


def third(data: dict[str, Any], key: str) -> None:
    """Rates of the group and of the others, overall and inside each value of the third column."""
    inside = data["third"]
    values = list(reversed(inside["values"]))
    names = [f"{_name(v['name'])} ({v['n']:,} and {v['other_n']:,} rows)" for v in values]
    figure = go.Figure()
    for title, field, colour in (("this group", "rate", MORE), ("the others", "other_rate", LESS)):
        figure.add_scatter(
            x=[v[field] for v in values], y=names, mode="markers", name=title,
            marker={"size": 13, "color": colour}, hovertemplate="%{x:.0%}<extra>" + title + "</extra>",
        )  # fmt: skip
    for v, name in zip(values, names, strict=True):
        line = {"color": COLOURS[-1], "width": 1.5}
        figure.add_shape(type="line", x0=v["rate"], x1=v["other_rate"], y0=name, y1=name, line=line, layer="below")
    figure.update_xaxes(title=f"labelled “{_name(data['label'])}”", tickformat=".0%", range=[-0.02, 1.02])
    figure.update_layout(height=110 + HIGH * len(values), legend={"orientation": "h", "y": 1.15})
    show(figure, f"third-{key}")


def _told(cell: dict[str, Any]) -> tuple[str, str]:
    """What stands in a cell, and what hovering says."""
    if not cell["n"]:
        return "–", f"{escape(cell['group_title'])}: no row to compare"
    other = "" if cell["other_value"] is None else f"<br>the others: {cell['other_value']:.0%} of {cell['other_n']:,}"
    pmi = f"<br>PMI {cell['pmi']:+.2f} bits" if cell["kind"] == "label" else ""
    few = "" if cell["judged"] else "<br>not enough rows to judge"
    return (
        f"{cell['value']:.0%}" if cell["judged"] else f"{cell['count']:,} of {cell['n']:,}",
        f"{escape(cell['group_title'])}, {_name(cell['label'])}<br>{cell['value']:.0%} of {cell['n']:,} "
        f"({100 * cell['low']:.0f} to {100 * cell['high']:.0f}){other}{pmi}{few}",
    )


def _gap(cell: dict[str, Any]) -> float | None:
    return cell["value"] - cell["other_value"] if cell["judged"] and cell["other_value"] is not None else None


def _map(
    cells: list[dict[str, Any]],
    places: list[tuple[str, str]],
    rows: list[str],
    columns: list[str],
    values: list[float | None],
    told: list[tuple[str, str]],
    frames: list[int],
    key: str,
) -> int | None:
    """A heat map under see-through marks that cover its cells: Plotly can select marks, but no cells of a heat map."""
    at = [(columns.index(column), rows.index(row)) for row, column in places]
    grid: list[list[float | None]] = [[None] * len(columns) for _ in rows]
    for (x, y), value in zip(at, values, strict=True):
        grid[y][x] = value
    heat = go.Heatmap(z=grid, zmin=-FAR, zmax=FAR, colorscale=SCALE, showscale=False, xgap=3, ygap=3, hoverinfo="skip")
    figure = go.Figure(heat)
    # Not as words of the map (dark on a dark page) nor as marks (a press would fade all others).
    for (x, y), value, (text, _) in zip(at, values, told, strict=True):
        strong = value is not None and abs(value) > FAR / 2
        figure.add_annotation(x=x, y=y, text=text, showarrow=False, font={"color": "white"} if strong else None)
    marks = [(i, x + dx / 10, y + dy) for i, (x, y) in enumerate(at) for dx in range(-4, 5) for dy in (-0.25, 0.25)]
    figure.add_scatter(
        x=[x for _, x, _ in marks], y=[y for _, _, y in marks], mode="markers", showlegend=False,
        marker={"symbol": "square", "size": HIGH, "opacity": 0.003, "color": COLOURS[0]},
        selected={"marker": {"opacity": 0.003}}, unselected={"marker": {"opacity": 0.003}},
        customdata=[i for i, _, _ in marks], hovertext=[told[i][1] for i, _, _ in marks],
        hovertemplate="%{hovertext}<extra></extra>",
    )  # fmt: skip
    for i in frames:
        x, y = at[i]
        line = {"color": COLOURS[3], "width": 3}
        figure.add_shape(type="rect", x0=x - 0.48, x1=x + 0.48, y0=y - 0.46, y1=y + 0.46, line=line)
    shown = [_name(column) for column in columns]
    figure.update_xaxes(
        tickvals=list(range(len(columns))),
        ticktext=shown,
        side="top",
        showgrid=False,
        zeroline=False,
        range=[-0.5, len(columns) - 0.5],
    )
    figure.update_yaxes(
        tickvals=list(range(len(rows))), ticktext=[escape(visible(r)) for r in rows], range=[len(rows) - 0.5, -0.5],
        showgrid=False, zeroline=False,
    )  # fmt: skip
    figure.update_layout(height=90 + HIGH * len(rows), margin={"l": 8, "r": 8, "t": 24, "b": 8}, hovermode="closest")
    event = st.plotly_chart(
        figure, width="stretch", key=f"cells-{key}", config=CONFIG, on_select="rerun", selection_mode="points"
    )
    points = event["selection"]["points"]
    return int(points[0]["customdata"]) if points and "customdata" in points[0] else None


def _name(label: str) -> str:
    text = visible(label)
    return escape(text if len(text) <= WIDE else text[: WIDE - 1] + "…")
