"""The curves of a run: loss and accuracy on training and validation, learning rate, gradient norm, speed; runs laid over."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.schemas.families import FAMILIES
from core.services import runs
from core.store.tables import Run
from core.tasks import registry as tasks

from .parts import Marker, Trace, live_chart, smooth, term

# Curves of training and validation by family, as (title, curve name). Known before the first point, so that nothing on the
# page moves when points arrive.
TITLES = {
    "accuracy": "Accuracy", "macro_f1": "Macro-F1", "micro_f1": "Micro-F1", "mae": "Mean error",
    "token_accuracy": "Token accuracy",
}  # fmt: skip
MAIN = {
    family: (("Loss", "loss"), *((TITLES[name], name) for name in facts.figures)) for family, facts in FAMILIES.items()
}
BIG = 2
SMALL = (
    ("Learning rate", "learning_rate"),
    ("Gradient norm", "grad_norm"),
    ("Speed", "tokens_per_second"),
)


def curves_panel(run: Run, others: Sequence[Run]) -> None:
    """Controls and charts. A chart that has no points yet says why."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        axis = st.segmented_control("Across", ["step", "epoch"], default="step", required=True, key=f"axis-{run.id}")
        weight = st.select_slider("Smoothing", [0.0, 0.5, 0.8, 0.9, 0.95], 0.8, key=f"smooth-{run.id}")
        log_y = st.toggle("Log axis", key=f"log-{run.id}")
        compare = []
        rest = [r for r in others if r.id != run.id]
        if rest:
            titles = {r.id: f"{r.number} {r.name}" for r in rest}
            compare = st.multiselect("Lay over", list(titles), format_func=titles.__getitem__, key=f"over-{run.id}")
    drawn = MAIN[tasks()[run.task].family]
    overlaid = [r for r in rest if r.id in compare]
    for column, (title, name) in zip(st.columns(BIG), drawn[:BIG], strict=True):
        with column:
            _learning(run, title, name, axis, weight, overlaid, log_y=log_y and name == "loss")
    small = [*drawn[BIG:], *SMALL]
    # Two in a row where there are four: three or four in a row would be too narrow beside the journey.
    columns = st.columns(len(small) if len(small) < 4 else 2) * 2
    for column, (title, name) in zip(columns, small, strict=False):
        with column:
            if (title, name) in SMALL:
                _machinery(run, title, name, axis)
            else:
                _learning(run, title, name, axis, weight, overlaid, height=220)


def _learning(
    run: Run,
    title: str,
    name: str,
    axis: str,
    weight: float,
    overlaid: Sequence[Run],
    *,
    log_y: bool = False,
    height: int = 320,
) -> None:
    """A curve on training and validation, with those of other runs laid over it."""
    st.markdown(f"**{title}**", help=term(title))
    traces = _traces(run, name, axis, weight)
    traces += [t for i, r in enumerate(overlaid) for t in _overlay(r, name, axis, i)]
    live_chart(
        f"{run.id}-{name}-{axis}",
        traces,
        axis,
        title.lower(),
        log_y=log_y,
        height=height,
        events=_markers(run, axis) if name == "loss" else (),
        empty_reason="No points yet: the first come with the first evaluation, before step 1.",
    )


def _machinery(run: Run, title: str, name: str, axis: str) -> None:
    """A curve of each batch that tells how training goes, not how well the model does."""
    st.markdown(f"**{title}**", help=term(title))
    trace = _line(run.id, name, "batch", title, "neutral", axis)
    live_chart(
        f"{run.id}-{name}-{axis}",
        [trace],
        axis,
        title.lower(),
        height=220,
        empty_reason="No points yet: they come with step 1.",
    )


def _line(run_id: str, name: str, split: str, title: str, colour: str, axis: str, faint: bool = False) -> Trace:
    buckets = runs.curve(run_id, name, split)
    x = [b.epoch if axis == "epoch" else b.step for b in buckets]
    return Trace(title, x, [b.mean for b in buckets], colour=colour, faint=faint)  # type: ignore[arg-type]


def _traces(run: Run, name: str, axis: str, weight: float) -> list[Trace]:
    out = [
        _line(run.id, name, "train", "training", "train", axis),
        _line(run.id, name, "validation", "validation", "validation", axis),
    ]
    raw = _line(run.id, name, "batch", "each batch", "neutral", axis, faint=True)
    if raw.y:
        out.append(raw)
        out.append(Trace("each batch", raw.x, smooth(raw.y, weight), colour="neutral", dashed=True))
    return out


def _overlay(run: Run, name: str, axis: str, index: int) -> list[Trace]:
    colour = str(index % 7)
    return [
        _line(run.id, name, "validation", f"{run.name} validation", colour, axis),
        _line(run.id, name, "train", f"{run.name} training", colour, axis, faint=False),
    ]


def _markers(run: Run, axis: str) -> list[Marker]:
    """The best checkpoint and where the run was continued."""
    if axis != "step":
        return []
    marks = [Marker(e.step, "continued") for e in runs.events(run.id) if e.kind == "resumed"]
    if run.best:
        marks.append(Marker(run.best["step"], "best", "accent"))
    return marks
