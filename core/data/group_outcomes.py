"""What the rows of groups are compared in: their label, their several labels, or whether their number is high."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import numpy as np

from core.schemas.examples import Example

from .group_rates import Outcomes
from .in_words import number_text


def labels_of(examples: Sequence[Example], most: int) -> tuple[Outcomes, str]:
    """The outcomes, and in words why labels cannot be compared (empty where they can). A number counts as high above the
    middle one of all rows."""
    if any(example.labels is not None for example in examples):
        outcomes = Outcomes.of_sets([example.labels for example in examples])
        return _limited(outcomes, len(examples), most)
    values = [example.value for example in examples if example.value is not None]
    if values:
        middle = median(values)
        high = np.array([example.value is not None and example.value > middle for example in examples], dtype=bool)
        name = f"more than {number_text(middle)}"
        return Outcomes("label", (name,), matrix=high[:, None]), ""
    outcomes = Outcomes.of_labels([example.label for example in examples])
    if len(outcomes.names) < 2:
        none = "there is only one label" if outcomes.names else "the rows have no labels"
        return outcomes, f"Label rates: {none}, so only the number of rows a group and their tone were looked at."
    return _limited(outcomes, len(examples), most)


def _limited(outcomes: Outcomes, rows: int, most: int) -> tuple[Outcomes, str]:
    if len(outcomes.names) <= most:
        return outcomes, ""
    return (
        Outcomes.of_labels([None] * rows),
        f"Label rates: there are {len(outcomes.names):,} different labels; up to {most} are compared.",
    )
