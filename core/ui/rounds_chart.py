"""The rounds as pictures: their scores on validation one after the other, and the tree of which came from which."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Any
from urllib.parse import quote

import plotly.graph_objects as go
import streamlit as st

from core.data.verdicts import in_sentence
from core.schemas.estimates import Verdict
from core.services.openings import Opening
from core.services.rounds import Measured, Node, Round, tree

from . import charts
from .evaluation import CONTENDERS

ROW, LANE, LEFT = 54, 22, 14  # pixels of the tree: height of a row, distance of two lanes, of the first from the edge
BASELINES = ("base", "majority", "mean", "tfidf", "nearest", "longer")
DASHES = ("dash", "dot", "dashdot", "longdash", "longdashdot", "5px 2px")
SIDE = 0.18  # how far beside its round a test score stands


def scores_plot(found: Sequence[Round], opened: Sequence[Opening]) -> None:
    """Validation scores with their intervals along the rounds, test scores where they were opened, simple ways as lines.

    A line leads from a round to the one that came from it, never across a change of the test set. Says what is missing.
    """
    measured = [(one, one.validation or one.test) for one in found]
    known = [(one, m) for one, m in measured if m is not None]
    if not known:
        st.caption("No round is measured yet, so there is no score to draw.")
        return
    newest = known[-1][1].row
    same = [one for one, m in known if m.row.key == newest.key]
    scale = 100 if newest.format == "percent" else 1
    figure = go.Figure()
    places = {one.number: i for i, one in enumerate(found)}
    _edges(figure, same, places, scale)
    _scores(figure, same, places, scale)
    _tests(figure, same, places, scale, opened)
    _baselines(figure, same, places, scale)
    _borders(figure, found)
    better = "more is better" if newest.higher_is_better else "less is better"
    unit = " (%)" if scale == 100 else ""
    figure.update_yaxes(title=f"{in_sentence(newest.title)}{unit}, {better}")
    figure.update_xaxes(
        tickmode="array", tickvals=list(places.values()), ticktext=[f"round {n}" for n in places], showgrid=False,
        range=[-0.5, len(found) - 0.5 + SIDE],
    )  # fmt: skip
    figure.update_layout(height=340, legend={"orientation": "h", "y": 1.14, "x": 0})
    charts.show(figure, "rounds-scores")
    st.caption(
        "A line leads from a round to the one that came from it; dotted where the data is another. It never crosses a change of "
        "the test set."
    )
    other = [str(one.number) for one, m in known if m.row.key != newest.key]
    if other:
        st.caption(f"Not drawn, because another figure decides there: round {', '.join(other)}.")


def _values(chosen: Sequence[Measured], scale: float) -> dict[str, Any]:
    """Points with their intervals, for a scatter."""
    scores = [measured.score for measured in chosen]
    return {
        "y": [scale * s.value for s in scores],
        "error_y": charts.whiskers(scores, scale, thickness=1.4),
    }


def _scores(figure: go.Figure, found: Sequence[Round], places: dict[int, int], scale: float) -> None:
    chosen = [(one, one.validation) for one in found if one.validation is not None]
    if not chosen:
        return
    figure.add_scatter(
        x=[places[one.number] for one, _ in chosen],
        **_values([m for _, m in chosen], scale),
        mode="markers",
        name="validation, 95% interval",
        text=[f"round {one.number} · {one.run.name}<br>n = {m.score.n:,}" for one, m in chosen],
        hovertemplate="%{text}<br>%{y:.3g}<extra></extra>",
        marker={"size": 11, "color": charts.COLOURS[0]},
    )


def _tests(
    figure: go.Figure, found: Sequence[Round], places: dict[int, int], scale: float, opened: Sequence[Opening]
) -> None:
    """Beside the round; the number says the how manieth opening of that test set it was."""
    chosen = [(one, m) for one in found for m in one.tests if m.lineage == one.lineage]
    newest = {one.number: (one, m) for one, m in chosen}
    if not newest:
        return
    pairs = list(newest.values())
    figure.add_scatter(
        x=[places[one.number] + SIDE for one, _ in pairs],
        **_values([m for _, m in pairs], scale),
        mode="markers+text",
        name="test, with the number of its opening",
        text=[str(count(opened, m)) for _, m in pairs],
        textposition="middle right",
        customdata=[f"round {one.number}, test set {m.lineage}<br>n = {m.score.n:,}" for one, m in pairs],
        hovertemplate="%{customdata}<br>%{y:.3g}<extra></extra>",
        marker={"size": 11, "symbol": "diamond", "color": charts.COLOURS[1]},
    )


def count(opened: Sequence[Opening], measured: Measured) -> int:
    """The how manieth opening of its test set an evaluation was, from 1."""
    return sum(1 for o in opened if o.lineage == measured.lineage and o.at <= measured.at)


def _edges(figure: go.Figure, found: Sequence[Round], places: dict[int, int], scale: float) -> None:
    """From a round to each that came from it, within one test set; dotted where their validation rows are not the same."""
    by_number = {one.number: one for one in found if one.validation is not None}
    for dash in ("solid", "dot"):
        x: list[float | None] = []
        y: list[float | None] = []
        for one in by_number.values():
            parent = by_number.get(one.parent or -1)
            if parent is None or parent.lineage != one.lineage or parent.validation is None or one.validation is None:
                continue
            alike = parent.version.content == one.version.content
            if alike == (dash == "solid"):
                x += [places[parent.number], places[one.number], None]
                y += [scale * parent.validation.score.value, scale * one.validation.score.value, None]
        if x:
            line = {"color": charts.COLOURS[0], "width": 1.6, "dash": dash}
            figure.add_scatter(x=x, y=y, mode="lines", line=line, opacity=0.55, showlegend=False, hoverinfo="skip")


def _baselines(figure: go.Figure, found: Sequence[Round], places: dict[int, int], scale: float) -> None:
    """What needs no fine-tuning, over the rounds that were held against it; broken where the test set changes."""
    for colour, (name, dash) in enumerate(zip(BASELINES, DASHES, strict=True), 2):
        x: list[float | None] = []
        y: list[float | None] = []
        last: Round | None = None
        for one in found:
            estimate = one.validation.row.values.get(name) if one.validation else None
            if estimate is None:
                continue
            if last is not None and last.lineage != one.lineage:
                x.append(None)
                y.append(None)
            x += [places[one.number] - 0.4, places[one.number] + 0.4]
            y += [scale * estimate.value] * 2
            last = one
        if x:
            line = {"color": charts.COLOURS[min(colour, 6)], "width": 1.5, "dash": dash}
            title = CONTENDERS.get(name, name).lower()
            figure.add_scatter(x=x, y=y, mode="lines", name=title, line=line, hovertemplate="%{y:.3g}")


def _borders(figure: go.Figure, found: Sequence[Round]) -> None:
    """A line where the test set changes: scores on its two sides are not compared."""
    for place, (before, after) in enumerate(pairwise(found)):
        if before.lineage != after.lineage:
            figure.add_vline(x=place + 0.5 + SIDE / 2, line={"color": charts.MARK, "width": 1.2, "dash": "dash"})
            figure.add_annotation(
                x=place + 0.55 + SIDE / 2, y=1, yref="paper", xanchor="left", yanchor="bottom", showarrow=False,
                text=f"test set {after.lineage}", font={"size": 12, "color": charts.MARK},
            )  # fmt: skip


# -- the tree ----------------------------------------------------------------------------------------------------------

MARKS = {
    Verdict.BETTER: "better",
    Verdict.WORSE: "worse",
    Verdict.NO_EVIDENCE: "none",
    Verdict.NOT_ENOUGH_DATA: "few",
}


LEGEND = (
    '<div class="tw-tree-legend"><span><b class="tw-tree-dot tw-tree-better"></b>better than the base</span>'
    '<span><b class="tw-tree-dot tw-tree-worse"></b>worse</span><span><b class="tw-tree-dot"></b>no evidence</span>'
    '<span><b class="tw-tree-dot tw-tree-open"></b>not measured</span><span><b class="tw-tree-dot tw-tree-failed"></b>no model'
    "</span><span><i></i>goes on from its weights</span></div>"
)


def tree_html(found: Sequence[Round], chosen: int | None = None) -> str:
    """The rounds from top to bottom, each with a dot, lines to those that came from it, and what it changed.

    `st.html` lets no drawing through, so the lines are shapes that are cut out of the theme's colours, as our icons are.
    """
    nodes = tree(found)
    width = LEFT + LANE * (1 + max((n.lane for n in nodes), default=0))
    size = width, ROW * len(nodes)
    plain, weights = (
        [_line(nodes[n.parent], n) for n in nodes if n.parent is not None and _goes_on(nodes[n.parent], n) == on]
        for on in (False, True)
    )
    drawing = _drawn(plain, size, "tw-tree-line", 1.8) + _drawn(weights, size, "tw-tree-line tw-tree-weights", 3)
    dots = "".join(_dot(n) for n in nodes)
    rows = "".join(_row(n, found, n.round.number == chosen) for n in nodes)
    return f'<div class="tw-tree">{drawing}{dots}<ol style="padding-left:{width}px">{rows}</ol></div>'


def _at(node: Node) -> tuple[int, int]:
    return LEFT + LANE * node.lane, ROW * node.place + ROW // 2


def _goes_on(parent: Node, node: Node) -> bool:
    """Whether it began with its parent's weights."""
    return node.round.start == parent.round.number


def _line(parent: Node, node: Node) -> str:
    """The way from a round to one that came from it: into its lane right below the parent, then down."""
    (x0, y0), (x1, y1) = _at(parent), _at(node)
    if x0 == x1:
        return f"M{x0} {y0}V{y1}"
    bend = y0 + round(0.75 * ROW)
    return f"M{x0} {y0}C{x0} {bend} {x1} {y0 + round(0.2 * ROW)} {x1} {bend}V{y1}"


def _drawn(ways: Sequence[str], size: tuple[int, int], kind: str, stroke: float) -> str:
    if not ways:
        return ""
    width, height = size
    shape = (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' fill='none' stroke='#000' "
        f"stroke-width='{stroke}'><path d='{' '.join(ways)}'/></svg>"
    )
    mask = f"url(&quot;data:image/svg+xml,{quote(shape)}&quot;)"
    style = f"width:{width}px;height:{height}px;mask-image:{mask};-webkit-mask-image:{mask}"
    return f'<span class="{kind}" style="{style}" aria-hidden="true"></span>'


def _dot(node: Node) -> str:
    x, y = _at(node)
    one = node.round
    kind = MARKS[one.verdict] if one.verdict else "open"
    if not one.finished:
        kind = "failed" if one.state.final else "open"
    return f'<span class="tw-tree-dot tw-tree-{kind}" style="left:{x - 7}px;top:{y - 7}px" aria-hidden="true"></span>'


def _row(node: Node, found: Sequence[Round], chosen: bool) -> str:
    one = node.round
    before = found[node.place - 1] if node.place else None
    fresh = before is not None and before.lineage != one.lineage
    said = "; ".join(c.text for c in one.changes[:4]) if node.parent is not None else "from the base model"
    if node.parent is None and one.start:
        said = f"goes on from round {one.start}"
    if node.parent is not None and not one.changes:
        said = "nothing changed"
    shown = f"test set {one.lineage} from here on · {said}" if fresh else said
    line = f'<p class="tw-quiet">{escape(shown)}</p>'
    here = ' aria-current="true"' if chosen else ""
    title = escape(f"Round {one.number}, {one.run.name}: {said}")
    return f'<li title="{title}"{here}><p><strong>{one.number}</strong> {escape(one.run.name)}</p>{line}</li>'
