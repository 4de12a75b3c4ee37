"""Ask a loaded model about a text, and about the same text without each of its words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from core.data import word_influence
from core.data.word_influence import Marked, Span
from core.data.wordsplit import without_spaces
from core.schemas.jobs import Job
from core.store.tables import Run
from core.tasks import registry as tasks

from . import asking, playground, runs


@dataclass(frozen=True)
class LeftOut:
    """What the model said without each piece: rows of probabilities or single numbers, with the labels' order. `grouped`:
    several words make a piece; `characters`: single characters do."""

    pieces: tuple[Span, ...]
    labels: tuple[str, ...]
    figures: tuple[Any, ...]
    grouped: bool
    characters: bool


def judged(job: Job, run: Run, models: Sequence[str], texts: Sequence[str]) -> dict[str, Any]:
    """What each model says of the texts, under the names that conversations use; with `labels` where it gives labels."""
    served = {model: playground.model_of(job, run, model) for model in models}
    ask = asking.values if tasks()[run.task].family == "regression" else asking.classify
    said = ask(job, texts, list(dict.fromkeys(served.values())))
    out: dict[str, Any] = {model: said[name] for model, name in served.items() if name in said}
    if "labels" in said:
        cuts = said.get("thresholds_of") or {}
        out |= {"labels": said["labels"], "thresholds_of": {m: cuts[n] for m, n in served.items() if cuts.get(n)}}
    return out


def left_out(job: Job, run: Run, model: str, text: str) -> LeftOut:
    """At most `MOST_PIECES` texts, in one question. Raises UserError where the model is gone."""
    pieces = word_influence.spans(text)
    whole = word_influence.spans(text, most=len(text) + 1)
    grouped, characters = len(whole) > len(pieces), without_spaces([text])
    if len(pieces) < 2:
        return LeftOut(tuple(pieces), (), (), grouped, characters)
    said = judged(job, run, [model], word_influence.without_each(text, pieces))
    return LeftOut(tuple(pieces), tuple(said.get("labels") or ()), tuple(said[model]), grouped, characters)


def marked(
    run: Run, text: str, answer: Mapping[str, Any], model: str, label: str | None, found: LeftOut
) -> list[Marked]:
    """The text with what each piece changes of the probability of `label`, or of the number (None), whose range is that of
    the training rows."""
    if len(found.figures) != len(found.pieces):
        return [Marked(text)]
    if label is None:
        figures = [float(v) for v in found.figures]
        return word_influence.marked(text, found.pieces, float(answer[model][0]), figures, _range(run.id))
    if label not in found.labels:  # one that only the other model knows
        return [Marked(text)]
    whole = float(answer[model][0][list(answer["labels"]).index(label)])
    place = found.labels.index(label)
    return word_influence.marked(text, found.pieces, whole, [float(row[place]) for row in found.figures])


@lru_cache(maxsize=16)
def _range(run_id: str) -> float:
    """The width of the middle nine tenths of the numbers that the round was trained on: a few odd ones stretch it no further."""
    values = sorted(e.value for e in runs.inputs(runs.get(run_id)).parts["train"] if e.value is not None)
    cut = len(values) // 20
    return values[-1 - cut] - values[cut] if values else 0.0
