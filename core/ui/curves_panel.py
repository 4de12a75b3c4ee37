"""The curves of a run: loss and accuracy on training and validation, learning rate, gradient norm, speed; runs laid over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

import streamlit as st

from core.data.coach import Mark
from core.schemas.curves import CURVES, Axis, in_a_sentence
from core.schemas.families import FAMILIES
from core.services import datasets, runs, timeline
from core.store.tables import Run
from core.tasks import registry as tasks

from .curves import clipped, colours_of
from .downloads import downloads
from .hardware_panel import hardware_panel
from .parts import Marker, Trace, live_chart, smooth, term

# Curves of training and validation by family. Known before the first point, so that nothing on the page moves when points
# arrive.
MAIN = {family: ("loss", *facts.figures) for family, facts in FAMILIES.items()}
MARGIN = ("loss", "reward_margin")  # of rated answers; pairs can also be right or wrong
PAIRS = ("loss", "preference_accuracy", "reward_margin")
BIG = 2
SHOWN_IN = {"memory": ("GB", 2**-30)}  # where a chart has another unit than the store
SMALL = ("learning_rate", "grad_norm", "tokens_per_second")
AXES: dict[Axis, tuple[str, str]] = {  # on the button, below the chart
    "step": ("Step", "step"),
    "epoch": ("Epoch", "epoch"),
    "tokens": ("Tokens", "tokens seen"),
    "time": ("Time", "minutes of training"),
}


@dataclass(frozen=True)
class View:
    """What the controls above the charts say."""

    axis: Axis
    weight: float
    log_y: bool
    clip: bool
    overlaid: Sequence[tuple[Run, int]]  # with its colour
    marks: Sequence[Mark] = ()  # what the coach speaks of


def curves_panel(run: Run, others: Sequence[Run], marks: Sequence[Mark] = ()) -> None:
    """Controls and charts, with the points that the coach speaks of. A chart that has no points yet says why."""
    view = replace(_controls(run, [r for r in others if r.id != run.id]), marks=marks)
    if view.overlaid:
        st.caption("Of other rounds, the line is validation and the dashed line is training.")
    drawn = _drawn(run)
    for column, name in zip(st.columns(BIG), drawn[:BIG], strict=True):
        with column:
            _learning(run, name, view)
    small = [*drawn[BIG:], *SMALL]
    # Two in a row where there are four: three or four in a row would be too narrow beside the journey.
    columns = st.columns(len(small) if len(small) < 4 else 2) * 2
    for column, name in zip(columns, small, strict=False):
        with column:
            if name in SMALL:
                machinery(run, name, view)
            else:
                _learning(run, name, view, height=220)
    downloads([run, *(r for r, _ in view.overlaid)])
    hardware_panel(run, lambda name: machinery(run, name, view))


def overlaid_panel(run: Run, other: Run) -> None:
    """The curves of learning of a round with those of another one laid over, across epochs: their steps may differ in size."""
    view = View("epoch", 0.8, log_y=False, clip=True, overlaid=[(other, colours_of([other.number])[other.number])])
    st.caption(
        f"Round {run.number} in the usual colours; of round {other.number} the line is validation and the dashed line training."
    )
    theirs = _drawn(other)
    names = [name for name in _drawn(run) if name in theirs][:BIG]
    for column, name in zip(st.columns(BIG), names, strict=False):
        with column:
            _learning(run, name, view)


def _controls(run: Run, rest: Sequence[Run]) -> View:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        axis = st.segmented_control(
            "Across", list(get_args(Axis)), default="step", required=True, key=f"axis-{run.id}",
            format_func=lambda a: AXES[a][0],
        )  # fmt: skip
        weight = st.select_slider(
            "Smoothing", [0.0, 0.5, 0.8, 0.9, 0.95], 0.8, key=f"smooth-{run.id}", help=term("smoothing"), width=180
        )
        with st.container(gap=None, width="content"):
            log_y = st.toggle("Log axis", key=f"log-{run.id}", help=term("log axis"))
            clip = st.toggle("Clip outliers", key=f"clip-{run.id}", help=term("clip outliers"))
        overlaid: list[tuple[Run, int]] = []
        if rest:
            by_id = {r.id: r for r in rest}
            chosen = st.multiselect(
                "Lay over", list(by_id), format_func=lambda i: f"{by_id[i].number} {by_id[i].name}",
                key=f"over-{run.id}", placeholder="Other rounds",
            )  # fmt: skip
            palette = colours_of([by_id[i].number for i in chosen])
            overlaid = [(by_id[i], palette[by_id[i].number]) for i in chosen]
    return View(axis or "step", weight, log_y, clip, overlaid)


def _drawn(run: Run) -> Sequence[str]:
    """The curves of training and validation that this run has."""
    if not tasks()[run.task].preference:
        return MAIN[tasks()[run.task].family]
    return PAIRS if datasets.get_version(run.dataset_version_id).roles.get("rejected") else MARGIN


def _learning(run: Run, name: str, view: View, *, height: int = 320) -> None:
    """A curve on training and validation, with those of other runs laid over it."""
    title = CURVES[name].title
    st.markdown(f"**{title}**", help=term(title))
    traces = _traces(run, name, view)
    traces += [t for other, colour in view.overlaid for t in _overlay(other, name, view.axis, colour)]
    live_chart(
        f"{run.id}-{name}-{view.axis}",
        traces,
        AXES[view.axis][1],
        title.lower(),
        log_y=view.log_y and name == "loss",
        height=height,
        events=[
            *(_markers(run, view.axis, quiet=name != "loss") if height > 250 else ()),
            *_evidence(run, name, view),
        ],
        clip=clipped(traces) if view.clip else None,
        picture=f"round-{run.number}-{name}",
        empty_reason=_reason(run, view.axis)
        or "No points yet: the first come with the first evaluation, before step 1.",
    )


def machinery(run: Run, name: str, view: View) -> None:
    """A curve of each batch that tells how training goes, not how well the model does."""
    title = CURVES[name].title
    st.markdown(f"**{title}**", help=term(title))
    unit, factor = SHOWN_IN.get(name, (title.lower(), 1))
    line = _line(run, name, "batch", title, "neutral", view.axis)
    traces = [replace(line, y=[None if v is None else v * factor for v in line.y])]
    live_chart(
        f"{run.id}-{name}-{view.axis}",
        traces,
        AXES[view.axis][1],
        unit,
        height=220,
        events=_evidence(run, name, view),
        clip=clipped(traces) if view.clip else None,
        picture=f"round-{run.number}-{name}",
        empty_reason=_reason(run, view.axis) or "No points yet: they come with step 1.",
    )


def _reason(run: Run, axis: Axis) -> str:
    """Why an axis has no points although there are some: the run is older than what it is measured by."""
    if axis in ("step", "epoch") or not runs.curve(run.id, "loss", "batch"):
        return ""
    known = timeline.positions(run.id, axis) is not None
    return "" if known else f"This round did not record {AXES[axis][1]}. Choose another axis."


def _line(run: Run, name: str, split: str, title: str, colour: str, axis: Axis, **style: bool) -> Trace:
    """One curve of the store's buckets; empty where the run did not record the axis."""
    buckets = runs.curve(run.id, name, split)
    if axis == "epoch":
        x: Sequence[float] = [b.epoch for b in buckets]
    else:
        place = timeline.positions(run.id, axis)
        if place is None:
            buckets = []
        x = place([b.step for b in buckets]) if place else []
    return Trace(title, x, [b.mean for b in buckets], colour=colour, **style)  # type: ignore[arg-type]


def _traces(run: Run, name: str, view: View) -> list[Trace]:
    out = [
        _line(run, name, "train", "training", "train", view.axis),
        _line(run, name, "validation", "validation", "validation", view.axis),
    ]
    raw = _line(run, name, "batch", "each batch", "neutral", view.axis, faint=True)
    if raw.y:
        out.append(raw)
        out.append(Trace("each batch", raw.x, smooth(raw.y, view.weight), colour="neutral", dashed=True))
    return out


def _overlay(run: Run, name: str, axis: Axis, colour: int) -> list[Trace]:
    """Another run in its own colour: validation as a line, training dashed."""
    label = f"{run.number} {run.name}"
    return [
        _line(run, name, "validation", label, str(colour), axis),
        _line(run, name, "train", label, str(colour), axis, dashed=True, shared=True),
    ]


def _markers(run: Run, axis: Axis, *, quiet: bool) -> list[Marker]:
    """What happened, and the best checkpoint, as marks on the axis; their labels stand in one chart only."""
    place = timeline.positions(run.id, axis)
    if place is None:
        return []
    found = timeline.moments(run)
    marks = [
        Marker(x, m.label, small=m.small, quiet=quiet)
        for m, x in zip(found, place([m.step for m in found]), strict=True)
    ]
    best = timeline.best(run)
    if best:
        label = f"best {in_a_sentence(best.metric)} {best.value:.4g}"
        marks.append(Marker(place([best.step])[0], label, "accent", quiet=quiet))
    return marks


def _evidence(run: Run, name: str, view: View) -> list[Marker]:
    """The points of this curve that the coach speaks of, in the colour of a warning."""
    place = timeline.positions(run.id, view.axis)
    found = [m for m in view.marks if m.curve == name]
    if place is None or not found:
        return []
    return [Marker(x, m.label, "warning") for m, x in zip(found, place([m.step for m in found]), strict=True)]
