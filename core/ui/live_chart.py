"""Live training curves that keep their browser node, so that zoom, hidden series and hover survive each update.

`st.plotly_chart` makes the figure part of the element's identity and remounts it at every change. Here Plotly.js, from
the installed plotly package, sits behind a small component (assets/live_chart.js) that calls `Plotly.react`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, get_args

import streamlit as st
from streamlit.components.v1 import declare_component

ASSETS = Path(__file__).parent / "assets"
PLOTLY = Path(find_spec("plotly").origin).parent / "package_data"  # type: ignore[union-attr, arg-type]  # is required

# The series numbers "0" to "6" walk through the categorical palette of the theme: for laying runs over one another.
Role = Literal["train", "validation", "neutral", "accent", "warning", "0", "1", "2", "3", "4", "5", "6"]


@dataclass(frozen=True)
class Trace:
    """One curve. `x` and `y` have the same length; None, NaN and infinities in `y` are gaps.

    A `faint` trace with the name of another one is its companion (the raw points under a smoothed curve): it shares the
    other's legend entry. So does a `shared` one, drawn in full. `low` and `high` draw a band around the curve.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float | None]
    colour: Role = "neutral"
    faint: bool = False
    dashed: bool = False
    low: Sequence[float | None] | None = None
    high: Sequence[float | None] | None = None
    shared: bool = False


@dataclass(frozen=True)
class Marker:
    """A moment worth a vertical line: a pause, the end of an epoch. A `small` one is a short mark whose label shows on
    hover: there may be many of them. A `quiet` one is a line whose label shows on hover."""

    x: float
    label: str
    colour: Role = "neutral"
    small: bool = False
    quiet: bool = False


def live_chart(
    key: str,
    traces: Sequence[Trace],
    x_title: str,
    y_title: str,
    *,
    log_y: bool = False,
    height: int = 320,
    events: Sequence[Marker] = (),
    empty_reason: str = "",
    clip: tuple[float, float] | None = None,
    picture: str = "chart",
) -> None:
    """Draw curves under a stable `key`; call again with more points and only the curves change.

    The zoom and the hidden series belong to the key: use one key for each run and chart. Traces without points are
    left out, and when none is left `empty_reason` stands in their place. Send at most about 1,000 points a trace (the
    store's buckets do). `clip` is the range of y beyond which the axis does not follow the points by itself. `picture`
    names the file of a downloaded picture. Raises ValueError where x and y differ in length or a colour role is unknown.
    """
    data = payload(key, traces, x_title, y_title, log_y, height, events, empty_reason, clip, picture)
    _component()(key=key, data={**data, **_addresses()})


def payload(
    key: str,
    traces: Sequence[Trace],
    x_title: str,
    y_title: str,
    log_y: bool,
    height: int,
    events: Sequence[Marker],
    empty_reason: str,
    clip: tuple[float, float] | None = None,
    picture: str = "chart",
) -> dict[str, Any]:
    """What travels to the browser: each x column once, values with five significant digits, gaps as None."""
    columns: list[list[float | None]] = []
    drawn = [t for t in traces if any(_finite(v) for v in t.y)]
    solid = {t.name for t in drawn if not t.faint and not t.shared}
    sent = []
    for trace in drawn:
        if len(trace.x) != len(trace.y):
            raise ValueError(f"trace {trace.name!r}: {len(trace.x)} x values but {len(trace.y)} y values")
        if trace.colour not in get_args(Role):
            raise ValueError(f"trace {trace.name!r}: unknown colour role {trace.colour!r}")
        x = _short(trace.x, digits=9)
        if x not in columns:
            columns.append(x)
        item: dict[str, Any] = {
            "name": trace.name,
            "x": columns.index(x),
            "y": _short(trace.y),
            "colour": trace.colour,
        }
        if trace.faint:
            item["faint"] = True
        if trace.faint or trace.shared:
            item["companion"] = trace.name in solid
        if trace.dashed:
            item["dashed"] = True
        if trace.low is not None and trace.high is not None:
            item["low"], item["high"] = _short(trace.low), _short(trace.high)
        sent.append(item)
    return {
        "key": key,
        "x": columns,
        "traces": sent,
        "x_title": x_title,
        "y_title": y_title,
        "log_y": log_y,
        "height": height,
        "events": merged(events),
        "clip": _clip(clip, log_y),
        "picture": picture,
        "empty_reason": empty_reason or "There is nothing to draw yet.",
        "alt": _description(y_title, x_title, [t for t in drawn if not t.faint and not t.shared]),
    }


def merged(events: Sequence[Marker]) -> list[dict[str, Any]]:
    """Markers from left to right, those at one place as one: a line with all labels, in the first colour that is not neutral."""
    places: dict[float, list[Marker]] = {}
    for event in sorted(events, key=lambda e: e.x):
        places.setdefault(_short([event.x], digits=9)[0] or 0.0, []).append(event)
    made = []
    for x, together in places.items():
        loud = [e for e in together if not e.small] or together
        item: dict[str, Any] = {"x": x, "label": ", ".join(dict.fromkeys(e.label for e in loud))}
        item["colour"] = next((e.colour for e in loud if e.colour != "neutral"), "neutral")
        if loud[0].small:
            item["small"] = True
        elif all(e.quiet for e in loud):
            item["quiet"] = True
        made.append(item)
    return made


def _clip(clip: tuple[float, float] | None, log_y: bool) -> list[float | None] | None:
    """Plotly's bounds of a log axis are given in its own values; there is no lower one at or below zero."""
    if clip is None:
        return None
    low, high = clip
    return _short([None if log_y and low <= 0 else low, high])


def _finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _short(values: Sequence[float | None], digits: int = 5) -> list[float | None]:
    """Finite values rounded to `digits` significant digits (fewer bytes, same picture); everything else None."""
    short: list[float | None] = []
    for value in values:
        if value is None or not math.isfinite(value):
            short.append(None)
            continue
        rounded = float(f"{value:.{digits}g}")
        short.append(int(rounded) if rounded.is_integer() and abs(rounded) < 2**53 else rounded)
    return short


def _description(y_title: str, x_title: str, traces: Sequence[Trace]) -> str:
    """The chart in words, for people who do not see it."""
    latest = [f"{t.name} {[v for v in t.y if _finite(v)][-1]:.4g}" for t in traces]
    return f"{y_title} by {x_title}. Latest: {', '.join(latest)}." if latest else ""


@cache
def _component() -> Any:
    # The script inside the message is only a loader of three lines, since Streamlit sends it again at every update.
    return st.components.v2.component("tunewell_live_chart", js=_LOADER, isolate_styles=False)


_LOADER = """export default async function (component) {
  const chart = await import(new URL(component.data.module, location.origin));
  return chart.default(component);
}"""


def _addresses() -> dict[str, str]:
    """Where the browser finds our module and Plotly.js (4.8 MB, fetched once a page).

    `declare_component` is used for one thing only: it is Streamlit's public way to serve a folder from where it is
    installed. The other ways copy the file into the project (static serving) or into every message (inline script). It
    is called in each run because a folder belongs to the running server; doing it again is a dictionary write.
    """
    declare_component("plotly", path=PLOTLY)
    declare_component("assets", path=ASSETS)
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    root = f"/{base}/component" if base else "/component"
    return {
        "plotly": f"{root}/{__name__}.plotly/plotly.min.js?v={_plotly_version()}",
        "module": f"{root}/{__name__}.assets/live_chart.js?v={_fingerprint()}",
    }


@cache
def _plotly_version() -> str:
    return version("plotly")  # reads a file of the package at each call


@cache
def _fingerprint() -> str:
    """Changes with the script, so that no browser keeps an old one."""
    return hashlib.sha256((ASSETS / "live_chart.js").read_bytes()).hexdigest()[:8]
