"""The learning-rate finder on the Hyperparameters screen: start it, see its curve, use what it suggests."""

from __future__ import annotations

import math

import plotly.graph_objects as go
import streamlit as st

from core.data.rate_curve import STEPS
from core.schemas.errors import UserError
from core.schemas.recipe import Recipe
from core.services import rate_finder, recipes
from core.store.tables import Project

from . import charts, jobs, parts


def rate_finder_panel(project: Project, recipe: Recipe, key: str) -> None:
    """The test, while it runs; its curve and its advice, once it ended; why there is none, where it failed."""
    st.caption(
        f"Trains your model for at most {STEPS} steps while the learning rate grows from tiny to huge, and watches where the "
        "loss falls best. The model of this trial is thrown away.",
        help=parts.term("learning rate finder"),
    )
    newest = rate_finder.newest(project.id)
    if newest is not None and newest.state.active:
        jobs.watch(newest.id, "Finding a learning rate")
        return
    if newest is not None and newest.error:
        parts.show_error(UserError.from_dict(newest.error))
    found = rate_finder.of(project, recipe)
    label = "Find a learning rate" if found is None else "Find it again"
    if st.button(label, icon=":material/search:"):
        with parts.guard():
            rate_finder.submit(project, recipe)
            st.rerun()
    if found is not None:
        _found(project, recipe, found, key)


def _found(project: Project, recipe: Recipe, found: rate_finder.Found, key: str) -> None:
    if not found.fits:
        st.warning(
            "This test was made with another model, other data or other settings than those of the form. Find it again for "
            "these.",
            icon=":material/history:",
        )
    _curve(found, key)
    suggestion = found.advice.suggestion
    (st.info if suggestion is not None else st.warning)(found.words, icon=":material/school:")
    n = len(found.curve.losses)
    st.caption(f"One test with n = {n} steps of {found.batch} examples. Another seed would move the point a little.")
    if suggestion is None:
        return

    def take() -> None:
        changed = recipe.model_copy(update={"learning_rate": suggestion})
        recipes.keep_draft(project, changed)
        parts.fill(Recipe, changed.model_dump(), key)

    used = recipe.learning_rate == suggestion
    label = "This learning rate is in the form" if used else "Use this learning rate"
    st.button(label, key=f"{key}-take-rate", type="primary", on_click=take, disabled=used or not found.fits)


def _curve(found: rate_finder.Found, key: str) -> None:
    curve, advice = found.curve, found.advice
    figure = go.Figure()
    figure.add_scatter(
        x=curve.rates,
        y=curve.losses,
        mode="markers",
        name="each step",
        opacity=0.45,
        marker={"size": 5, "color": charts.MARK},
    )
    figure.add_scatter(
        x=curve.rates,
        y=advice.smooth,
        mode="lines",
        name="without the noise",
        line={"color": charts.COLOURS[0], "width": 3},
    )
    if (suggestion := advice.suggestion) is not None:
        mark = {"color": charts.COLOURS[1], "dash": "dash", "width": 2}
        figure.add_vline(suggestion, line=mark)
        # Plotly places the note of such a line wrongly on a logarithmic axis, where a note's place is the exponent.
        figure.add_annotation(
            x=math.log10(suggestion), y=1, yref="paper", xanchor="right", yanchor="top", showarrow=False, xshift=-6,
            text=f"suggested: {parts.number_text(suggestion)}", font={"color": charts.COLOURS[1]},
        )  # fmt: skip
    figure.update_xaxes(type="log", title="learning rate", exponentformat="power", dtick=1)
    # The runaway at the end would squeeze the valley into a line.
    top = max(advice.smooth[: max(1, len(advice.smooth) // 3)]) if advice.smooth else 1.0
    low = min(advice.smooth, default=0.0)
    figure.update_yaxes(
        title="loss", range=[min(0.0, low) if low < 0.2 * top else low - 0.15 * (top - low), top * 1.25]
    )
    figure.update_layout(height=300, legend={"orientation": "h", "y": 1.15})
    charts.show(figure, f"{key}-rate")
