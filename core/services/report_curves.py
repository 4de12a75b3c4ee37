"""The curve of a training for a printed report: lines over steps as SVG, one for each part. No script, no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from .report_drawings import ORANGE, TEAL, WIDTH, number, opened, span, ticks

HEIGHT, LEFT, BOTTOM, TOP = 240, 56, 44, 14
STYLES = {"train": (ORANGE, "5 3"), "validation": (TEAL, "")}


def lines(parts: Mapping[str, Sequence[tuple[float, float]]], title: str, best: int | None = None) -> str:
    """One line for each part (step, value); a mark where the kept checkpoint stands. Empty where nothing can be drawn."""
    points = [p for part in parts.values() for p in part]
    if len(points) < 2:
        return ""
    low_x, high_x = min(x for x, _ in points), max(x for x, _ in points)
    if high_x == low_x:
        return ""
    low_y, high_y = span([y for _, y in points])

    def x(value: float) -> float:
        return LEFT + (value - low_x) / (high_x - low_x) * (WIDTH - LEFT - 20)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (value - low_y) / (high_y - low_y) * (HEIGHT - BOTTOM - TOP)

    out = [opened(HEIGHT, title)]
    for tick in ticks(low_y, high_y):
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - 20}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" class="grid"/>')
        out.append(f'<text x="{LEFT - 8}" y="{y(tick) + 4:.1f}" class="tick end">{number(tick)}</text>')
    for tick in ticks(low_x, high_x):
        out.append(f'<text x="{x(tick):.1f}" y="{HEIGHT - BOTTOM + 18}" class="tick">{number(tick)}</text>')
    if best is not None and low_x <= best <= high_x:
        out.append(f'<line x1="{x(best):.1f}" x2="{x(best):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" class="best"/>')
        end = "end" if x(best) > WIDTH / 2 else "start"
        shift = -5 if end == "end" else 5
        out.append(
            f'<text x="{x(best) + shift:.1f}" y="{TOP + 8}" text-anchor="{end}" class="axis">kept: step {best:,}</text>'
        )
    for part, values in parts.items():
        colour, dashes = STYLES.get(part, (TEAL, ""))
        way = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in values)
        out.append(
            f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"/>'
        )
    for place, part in enumerate(p for p in parts if parts[p]):
        colour, dashes = STYLES.get(part, (TEAL, ""))
        at = WIDTH - 220 + 110 * place
        out.append(
            f'<line x1="{at}" x2="{at + 22}" y1="{HEIGHT - 10}" y2="{HEIGHT - 10}" stroke="{colour}" stroke-width="2" '
            f'stroke-dasharray="{dashes}"/><text x="{at + 27}" y="{HEIGHT - 6}" class="axis">{escape(part)}</text>'
        )
    out.append(f'<text x="{LEFT}" y="{HEIGHT - 6}" class="axis">{escape(title)}, over steps</text></svg>')
    return "".join(out)
