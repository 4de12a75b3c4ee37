"""The curves that are shown as files: a table, and what TensorBoard reads. Made only when somebody presses the button."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.services import curve_files
from core.store.tables import Run

from .parts import term


def downloads(shown: Sequence[Run]) -> None:
    """Two buttons for all points of the runs shown. A picture is saved by the buttons on the chart itself."""
    key = shown[0].id
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.download_button(
            "All points (CSV)",
            lambda: "".join(curve_files.csv_lines(shown)).encode(),
            f"curves-round-{shown[0].number}.csv",
            "text/csv",
            key=f"csv-{key}",
            icon=":material/table:",
            on_click="ignore",
            help="Every recorded point of the rounds shown, not thinned out and not smoothed, with units in the headings.",
        )
        st.download_button(
            "For TensorBoard",
            lambda: curve_files.tensorboard_zip(shown),
            f"tensorboard-round-{shown[0].number}.zip",
            "application/zip",
            key=f"tensorboard-{key}",
            icon=":material/folder_zip:",
            on_click="ignore",
            help=term("TensorBoard"),
        )
        st.caption("A picture of a chart: the camera (PNG) or disk (SVG) that shows when the pointer is over it.")
