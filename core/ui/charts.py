"""Charts that do not move: Plotly in the colours of the theme, sized and named alike everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from core.schemas.estimates import Estimate

# Middle tones of the theme's palette, legible on light and dark ground alike.
COLOURS = ("#1a8f84", "#d6803c", "#5b86d6", "#c2608c", "#8a6fd0", "#8a9a3a", "#7d8a86")
MARK = COLOURS[-1]  # of a line that marks a place: Plotly's own is black on any ground
CONFIG = {"displaylogo": False, "displayModeBar": False}


def show(figure: go.Figure, key: str) -> None:
    """Draw a figure over the full width with small margins."""
    figure.update_layout(colorway=COLOURS, margin={"l": 8, "r": 8, "t": 24, "b": 8}, hovermode="closest")
    st.plotly_chart(figure, width="stretch", key=f"chart-{key}", config=CONFIG, theme="streamlit")


def whiskers(values: Sequence[Estimate], scale: float = 1, **look: Any) -> dict[str, Any]:
    """The intervals of points, for `error_x` or `error_y`; none where an end is not known. `look`: thickness, width, ..."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [scale * ((e.high if e.high is not None else e.value) - e.value) for e in values],
        "arrayminus": [scale * (e.value - (e.low if e.low is not None else e.value)) for e in values],
        **look,
    }
