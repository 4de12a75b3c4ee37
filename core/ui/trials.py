"""The rounds of a study: a table with links, a plot of round against score, and a score in words."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any
from urllib.parse import urlencode

import plotly.graph_objects as go

from core.schemas.jobs import JobState
from core.schemas.recipe import Recipe
from core.schemas.studies import TrialState
from core.services import studies
from core.store.tables import Study

from . import charts, parts, screens
from .recipe import duration

METRICS = {
    "eval_loss": "validation loss",
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "token_accuracy": "token accuracy",
}
WORDS = {
    TrialState.DONE: "Done",
    TrialState.PRUNED: "Stopped early: poor",
    TrialState.STOPPED: "Stopped",
    TrialState.FAILED: "Failed",
}
OPEN = {JobState.QUEUED: "Waiting", JobState.RUNNING: "At work", JobState.PAUSED: "Paused"}


def metric_words(study: Study) -> str:
    """The figure that decides, with which way is good and how many rows it rests on is said beside it."""
    better = "higher" if studies.higher_is_better(study) else "lower"
    return f"{METRICS[studies.metric(study)]} ({better} is better)"


def setting_title(name: str) -> str:
    return str(Recipe.model_fields[name].title or name)


def value_text(value: Any) -> str:
    return parts.number_text(value) if isinstance(value, float | int) else str(value)


def in_words(values: dict[str, Any]) -> str:
    """Settings with their values, as they stand within a sentence."""
    return ", ".join(f"{_within(setting_title(name))} {value_text(value)}" for name, value in values.items())


def _within(title: str) -> str:
    return title[0].lower() + title[1:] if title[1:2].islower() else title


def trials_table(study: Study, found: Sequence[studies.Look], best: studies.Look | None) -> None:
    """One line a round: what it tried, how it ended, its score. The name leads to the round."""
    names = list(found[0].trial.values) if found else []
    header = [
        "Round",
        *(setting_title(n) for n in names),
        "How it ended",
        METRICS[studies.metric(study)].capitalize(),
        "Time",
    ]
    rows = []
    for look in found:
        outcome = look.outcome
        ended = WORDS[outcome.state] if outcome else OPEN.get(look.state, "Ended")
        if outcome and outcome.reason:
            ended += f": {outcome.reason}"
        score = f"{outcome.score:.4g}" if outcome and outcome.score is not None else "\u2013"
        if best is not None and look.trial.id == best.trial.id:
            score = f"<strong>{score}</strong> best"
        rows.append([
            _link(look), *(escape(value_text(look.trial.values.get(n))) for n in names), escape(ended), score,
            duration(outcome.seconds) if outcome and outcome.seconds else "\u2013",
        ])  # fmt: skip
    parts.table(header, rows)


def _link(look: studies.Look) -> str:
    address = "training?" + urlencode({**screens.here(), "run": look.run.id})
    return f'<a href="{escape(address)}" target="_self">{look.run.number} {escape(look.run.name)}</a>'


def scores_plot(study: Study, found: Sequence[studies.Look], key: str) -> None:
    """Round against score: finished rounds as dots, those stopped early hollow, the best so far as a line."""
    scored = [x for x in found if x.outcome and x.outcome.score is not None]
    figure = go.Figure()
    higher = studies.higher_is_better(study)
    groups = (
        ("ran to its end", {TrialState.DONE}, "circle"),
        ("stopped early", {TrialState.PRUNED, TrialState.STOPPED}, "circle-open"),
    )
    colour = charts.COLOURS[0]
    for name, states, symbol in groups:
        chosen = [x for x in scored if x.outcome and x.outcome.state in states]
        if chosen:
            figure.add_scatter(
                x=[x.trial.number for x in chosen],
                y=[x.outcome.score for x in chosen if x.outcome],
                mode="markers",
                name=name,
                text=[_about(x) for x in chosen],
                hovertemplate="%{text}<br>%{y:.4g}<extra></extra>",
                marker={"symbol": symbol, "size": 10, "color": colour, "line": {"width": 2, "color": colour}},
            )
    done = [x for x in scored if x.outcome and x.outcome.state is TrialState.DONE]
    best: list[float] = []
    for look in done:
        if look.outcome and look.outcome.score is not None:
            best.append((max if higher else min)([*best[-1:], look.outcome.score]))
    line = {"shape": "hv", "color": charts.COLOURS[1]}
    figure.add_scatter(x=[x.trial.number for x in done], y=best, mode="lines", name="best so far", line=line)
    figure.update_xaxes(title="try", dtick=1 if len(found) < 20 else None)
    figure.update_yaxes(title=METRICS[studies.metric(study)])
    figure.update_layout(height=280, legend={"orientation": "h", "y": 1.2})
    charts.show(figure, key)


def _about(look: studies.Look) -> str:
    said = [f"{setting_title(n)} {value_text(v)}" for n, v in look.trial.values.items()]
    return "<br>".join([f"Round {look.run.number}", *said])
