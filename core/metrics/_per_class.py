"""Classification in detail: precision, recall and F1 of each class, and which class was taken for which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from core.data.statistics import wilson
from core.schemas.base import Schema
from core.schemas.estimates import Estimate
from core.schemas.label_sets import LabelSetPrediction, LabelSetPredictions
from core.schemas.predictions import ClassPrediction, ClassPredictions

from ._mean import mean_estimate

FEWEST_ROWS = 20
"""A class with fewer test rows is marked: its share is known to no better than 20 points (house default)."""


Scored = tuple[ClassPrediction | LabelSetPrediction, str | None]


class ClassScores(Schema):
    """One class. `n` rows have it as right answer, `n_predicted` were given it. A figure is None where it would divide
    by zero. `few` marks a class with too few rows to judge.
    """

    label: str
    n: int
    n_predicted: int
    precision: Estimate | None
    recall: Estimate | None
    f1: Estimate | None
    few: bool


class Confusion(Schema):
    """`counts[i][j]` rows have the right answer `labels[i]` and were called `labels[j]`."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


def per_class(predictions: ClassPredictions | LabelSetPredictions) -> list[ClassScores]:
    """Scores of every class that the model knows or the rows hold, in the order of the labels."""
    return [_scores(label, predictions) for label in all_labels(predictions)]


def confusion(predictions: ClassPredictions) -> Confusion:
    labels = all_labels(predictions)
    cells = Counter((item.gold, item.predicted) for item in predictions.items)
    return Confusion(labels=labels, counts=tuple(tuple(cells[gold, said] for said in labels) for gold in labels))


def cell_rows(predictions: ClassPredictions, gold: str, predicted: str) -> list[ClassPrediction]:
    """The rows behind one cell of the confusion matrix, the surest first."""
    rows = [item for item in predictions.items if item.gold == gold and item.predicted == predicted]
    return sorted(rows, key=_sureness, reverse=True)


def all_labels(predictions: ClassPredictions | LabelSetPredictions) -> tuple[str, ...]:
    """The model's labels, then right answers that it does not know."""
    seen = dict.fromkeys(predictions.labels)
    return (*seen, *sorted(predictions.right_answers() - seen.keys()))


def _scores(label: str, predictions: ClassPredictions | LabelSetPredictions) -> ClassScores:
    groups = predictions.groups or (None,) * len(predictions)
    pairs: list[Scored] = list(zip(predictions.items, groups, strict=True))
    said = [(item, group) for item, group in pairs if item.was_given(label)]
    true = [(item, group) for item, group in pairs if item.has(label)]
    right = sum(item.was_given(label) for item, _ in true)
    return ClassScores(
        label=label,
        n=len(true),
        n_predicted=len(said),
        precision=_share(said, [item.has(label) for item, _ in said]),
        recall=_share(true, [item.was_given(label) for item, _ in true]),
        f1=_f1(right, len(said) + len(true) - right),
        few=len(true) < FEWEST_ROWS,
    )


def _share(rows: Sequence[Scored], right: Sequence[bool]) -> Estimate | None:
    if not rows:
        return None
    groups = tuple(group for _, group in rows if group is not None)
    together = groups if len(set(groups)) < len(groups) else None
    return mean_estimate([float(hit) for hit in right], together, binary=True, bounds=(0.0, 1.0))


def _f1(right: int, concerned: int) -> Estimate | None:
    """F1 = 2J / (1 + J), J being the share of right rows among those that have or were given the class (Jaccard). F1
    grows with J, so the ends of J's Wilson interval give the ends for F1.
    """
    if concerned == 0:
        return None
    share = wilson(right, concerned)
    value, low, high = (2 * j / (1 + j) for j in (share.value, share.low or 0.0, share.high or 0.0))
    return Estimate(value=value, n=concerned, low=low, high=high, method="Wilson, transformed")


def _sureness(item: ClassPrediction) -> float:
    return item.confidence if item.probabilities else 0.0
