"""A person's own text classifier as a judge of answers, judged itself first: what it makes of neutral sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

import numpy as np

from core.data.lexicon import Lexicon
from core.data.probes import Probe, probes
from core.data.statistics import bootstrap_mean
from core.schemas.estimates import Estimate
from core.schemas.predictor import Predictor

from ._reader import Reader

TEMPLATES = 40
_BAD = re.compile(r"tox|neg|hate|offens|insult|rude|abus|spam|bad|unsafe|label_1", re.IGNORECASE)


def bad_label(labels: Sequence[str], wanted: str = "") -> int:
    """The label whose probability counts: the wanted one, else one that sounds like something bad, else the last."""
    names = [str(label) for label in labels]
    if wanted in names:
        return names.index(wanted)
    return next(
        (i for i, name in enumerate(names) if _BAD.search(name) and not name.lower().startswith("non")), len(names) - 1
    )


def scorer_of(scorer: Predictor, place: int) -> Callable[[Sequence[str]], list[float]]:
    def judge(texts: Sequence[str]) -> list[float]:
        unique = list(dict.fromkeys(texts))
        found = dict(zip(unique, scorer.classify(unique), strict=True))
        return [float(found[text][place]) for text in texts]

    return judge


def probes_for(axes: Collection[str], lexicon: Lexicon) -> list[Probe]:
    return probes(axes, TEMPLATES, lexicon=lexicon)


def own_gaps(reader: Reader, scorer: Predictor, place: int, chosen: Sequence[Probe]) -> dict[str, Estimate]:
    """By axis: how far apart the scorer judges the same neutral sentence for two groups, mean over pairs, by template."""
    found = reader.classify(scorer, [probe.text for probe in chosen])
    result = {}
    for axis in dict.fromkeys(probe.axis for probe in chosen):
        by_template: dict[str, list[float]] = {}
        for probe in chosen:
            if probe.axis == axis:
                by_template.setdefault(probe.template_id, []).append(float(found[probe.text][place]))
        gaps = [_mean_distance(np.array(values)) for values in by_template.values() if len(values) > 1]
        if gaps:
            result[axis] = bootstrap_mean(gaps, list(by_template)[: len(gaps)], (0.0, 1.0))
    return result


def _mean_distance(values: np.ndarray) -> float:
    """Mean absolute difference over all pairs."""
    n = len(values)
    return float(np.abs(values[:, None] - values[None, :]).sum() / (n * (n - 1)))
