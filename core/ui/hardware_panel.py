"""How hard the machine works on a run: speed, share of the hardware limit, memory, use of the device, and where a step's time
goes."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import streamlit as st

from core.schemas.curves import PHASES
from core.services import machine
from core.store.tables import Run

from .charts import COLOURS
from .parts import term


def hardware_panel(run: Run, over_time: Callable[[str], None]) -> None:
    """Figures of the newest moments and the phases of the whole run; `over_time` draws the curve of a name.

    Says what could not be measured, and why.
    """
    found = machine.load(run)
    if found is None:
        return
    with st.container(border=True):
        st.markdown("**Hardware**")
        columns = st.columns(4)
        with columns[0]:
            _figure("Speed", _or_dash(found.speed, "{:,.0f} tokens/s"), "Real tokens, no padding")
        with columns[1]:
            _figure("Share of the limit", _or_dash(found.share, "{:.0%}"), f"of {_rate(found.ceiling)}")
        with columns[2]:
            _figure(
                "Memory in use",
                _or_dash(found.memory, "{:.2f} GB", 2**-30),
                f"at most {found.memory_peak / 2**30:.2f} GB",
            )
        with columns[3]:
            _figure("Device use", _or_dash(found.use, "{:.0%}") if found.use_known else "not measured", found.title)
        if found.phases:
            st.markdown("Where the time goes", help=term("Step phases"))
            st.html(phase_bar(found.phases))
        with st.expander("Over time, and what the figures rest on"):
            for column, name in zip(st.columns(3), ("memory", "use", "share_of_limit"), strict=True):
                with column:
                    over_time(name)
            for line in notes(found):
                st.caption(line)


def _figure(title: str, value: str, below: str) -> None:
    st.metric(title, value, help=term(title))
    st.caption(below)


def _or_dash(value: float | None, form: str, factor: float = 1) -> str:
    return "\u2013" if value is None else form.format(value * factor)


def _rate(flops: float) -> str:
    return f"{flops / 1e12:,.1f} TFLOP/s" if flops >= 1e12 else f"{flops / 1e9:,.0f} GFLOP/s"


def notes(found: machine.Machine) -> list[str]:
    """What the figures rest on, and what is missing."""
    out = [
        f"The limit is what this machine computed at the start of the run: {found.how}. A token costs "
        f"{found.per_token / 1e6:,.1f} MFLOP of training arithmetic. Where other programs were busy then, the limit is too low "
        "and the share too high."
    ]
    if not found.use_known:
        out.append("Use of the graphics card is not measured: its driver does not answer (or nvidia-ml-py is missing).")
    if not found.phases_known:
        out.append(
            "The phases of a step are not measured on this device: that would mean to wait for it within each step."
        )
    return out


def phase_bar(phases: dict[str, float]) -> str:
    """A bar in parts with a list below it: each phase with its share and its seconds. The list says all that the bar shows."""
    total = sum(phases.values()) or 1.0
    parts, items = [], []
    for index, (name, title) in enumerate(PHASES.items()):
        if name not in phases:
            continue
        share, colour = phases[name] / total, COLOURS[index % len(COLOURS)]
        if name == "other":
            colour = "color-mix(in srgb, currentcolor 25%, transparent)"
        parts.append(f'<span style="width:{100 * share:.2f}%;background:{colour}"></span>')
        items.append(
            f'<li><i style="background:{colour}"></i>{escape(title)} <b>{_share(share)}</b> '
            f'<span class="tw-quiet">{_seconds(phases[name])}</span></li>'
        )
    return f'<div class="tw-phases"><div aria-hidden="true">{"".join(parts)}</div><ul>{"".join(items)}</ul></div>'


def _share(share: float) -> str:
    return "under 1%" if 0 < share < 0.01 else f"{share:.0%}"


def _seconds(seconds: float) -> str:
    if seconds < 1:
        return f"{1000 * seconds:,.0f} ms"
    return f"{seconds:,.1f} s" if seconds < 120 else f"{seconds / 60:,.1f} min"
