"""Small drawings for a printed report, as SVG: intervals in rows, and rounds by gap and quality. No script, no network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from math import ceil, floor, log10
from typing import NamedTuple

from core.data.in_words import significant
from core.schemas.estimates import Estimate

WIDTH, LABEL, RIGHT, ROW = 680, 250, 20, 30
TEAL, ORANGE, GREY = "#14786f", "#b5651d", "#6b7672"


class Mark(NamedTuple):
    """One value in a row of `intervals`; `hollow` for the base model."""

    estimate: Estimate
    colour: str
    hollow: bool = False


def intervals(rows: Sequence[tuple[str, Sequence[Mark]]], title: str, factor: float = 1.0) -> str:
    """A dot with its interval for each mark, rows under one another, over a scale that holds all of them and 0."""
    marks = [mark.estimate for _, row in rows for mark in row]
    if not marks:
        return ""
    low, high = span([0.0, *(v for e in marks for v in _ends(e, factor))])

    def x(value: float) -> float:
        return LABEL + (value - low) / (high - low) * (WIDTH - LABEL - RIGHT)

    height = ROW * len(rows) + 44
    out = [opened(height, title)]
    for tick in ticks(low, high):
        out.append(f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="4" y2="{ROW * len(rows) + 6}" class="grid"/>')
        out.append(f'<text x="{x(tick):.1f}" y="{ROW * len(rows) + 22}" class="tick">{number(tick)}</text>')
    for place, (name, row) in enumerate(rows):
        middle = ROW * place + ROW / 2 + 4
        out.append(f'<text x="0" y="{middle + 4:.1f}" class="name">{escape(_short(name, 38))}</text>')
        for shift, mark in zip(_spread(len(row)), row, strict=True):
            out.append(_mark(x, middle + shift, mark, factor))
    out.append(f'<text x="{LABEL}" y="{height - 6}" class="axis">{escape(title)}</text></svg>')
    return "".join(out)


class Dot(NamedTuple):
    """A round in `scatter`; `filled` where no other round is better in both."""

    name: str
    x: Estimate
    y: Estimate
    filled: bool


def scatter(dots: Sequence[Dot], x_title: str, y_title: str, x_factor: float = 1.0, y_factor: float = 1.0) -> str:
    """Dots with intervals in both directions, each named; those that are filled joined from left to right."""
    height, left, bottom = 330, 64, 48
    low_x, high_x = span([0.0, *(v for d in dots for v in _ends(d.x, x_factor))])
    low_y, high_y = span([v for d in dots for v in _ends(d.y, y_factor)])

    def x(value: float) -> float:
        return left + (value - low_x) / (high_x - low_x) * (WIDTH - left - 150)

    def y(value: float) -> float:
        return height - bottom - (value - low_y) / (high_y - low_y) * (height - bottom - 16)

    out = [opened(height, f"{y_title} against {x_title}")]
    for tick in ticks(low_x, high_x):
        out.append(f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="10" y2="{height - bottom}" class="grid"/>')
        out.append(f'<text x="{x(tick):.1f}" y="{height - bottom + 16}" class="tick">{number(tick)}</text>')
    for tick in ticks(low_y, high_y):
        out.append(f'<line x1="{left}" x2="{WIDTH - 150}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" class="grid"/>')
        out.append(f'<text x="{left - 8}" y="{y(tick) + 4:.1f}" class="tick end">{number(tick)}</text>')
    best = sorted((d for d in dots if d.filled), key=lambda d: d.x.value)
    way = " ".join(f"{x(x_factor * d.x.value):.1f},{y(y_factor * d.y.value):.1f}" for d in best)
    out.append(f'<polyline points="{way}" fill="none" stroke="{TEAL}" stroke-dasharray="3 3"/>')
    for d in dots:
        cx, cy, colour = x(x_factor * d.x.value), y(y_factor * d.y.value), TEAL if d.filled else GREY
        x0, x1 = (x(v) for v in _ends(d.x, x_factor))
        y0, y1 = (y(v) for v in _ends(d.y, y_factor))
        out.append(f'<path d="M{x0:.1f} {cy:.1f}H{x1:.1f}M{cx:.1f} {y0:.1f}V{y1:.1f}" stroke="{colour}" fill="none"/>')
        fill = colour if d.filled else "#fff"
        out.append(f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="5" fill="{fill}" stroke="{colour}" stroke-width="2"/>')
        out.append(f'<text x="{cx + 9:.1f}" y="{cy - 8:.1f}" class="name">{escape(_short(d.name, 34))}</text>')
    out.append(f'<text x="{left}" y="{height - 8}" class="axis">{escape(x_title)}</text>')
    out.append(f'<text x="14" y="{height - bottom}" class="axis" transform="rotate(-90 14 {height - bottom})">')
    return "".join([*out, escape(y_title), "</text></svg>"])


def opened(height: float, title: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}" class="drawing">'


def _mark(x: Callable[[float], float], y: float, mark: Mark, factor: float) -> str:
    low, high = (x(v) for v in _ends(mark.estimate, factor))
    fill = "#fff" if mark.hollow else mark.colour
    return (
        f'<path d="M{low:.1f} {y:.1f}H{high:.1f}" stroke="{mark.colour}" stroke-width="2"/>'
        f'<circle cx="{x(factor * mark.estimate.value):.1f}" cy="{y:.1f}" r="4.5" fill="{fill}" stroke="{mark.colour}" '
        'stroke-width="2"/>'
    )


def _ends(estimate: Estimate, factor: float) -> tuple[float, float]:
    low = estimate.value if estimate.low is None else estimate.low
    high = estimate.value if estimate.high is None else estimate.high
    return factor * low, factor * high


def span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = 0.06 * (high - low) or max(abs(high), 1.0) * 0.1
    return (low if low == 0 else low - room), high + room


def ticks(low: float, high: float) -> list[float]:
    """Round numbers between low and high, about five."""
    rough = (high - low) / 5
    power = 10.0 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough)
    return [step * i for i in range(ceil(low / step), floor(high / step) + 1)]


def number(value: float) -> str:
    return significant(value + 0.0)


def _spread(count: int) -> list[float]:
    return [0.0] if count == 1 else [-5.0 + 10.0 * i / (count - 1) for i in range(count)]


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
