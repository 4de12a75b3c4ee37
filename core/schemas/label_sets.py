"""What a model that gives any number of labels said about each row, beside the labels it should have given."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .examples import Example
from .prediction_rows import group_keys, not_numbers, refuse_repeats, rows_of, to_table

META = b"tunewell.label_sets"
HALF = 0.5
SCHEMA = pa.schema(
    {
        "row_id": pa.string(),
        "gold": pa.list_(pa.string()),
        "predicted": pa.list_(pa.string()),
        "probabilities": pa.list_(pa.float64()),
        "group": pa.string(),
    }
)


@dataclass(frozen=True, slots=True)
class LabelSetPrediction:
    """`gold` and `predicted` may be empty: no label fits. `probabilities` follow the order of the labels, each by itself."""

    row_id: str
    gold: tuple[str, ...]
    predicted: tuple[str, ...]
    probabilities: tuple[float, ...] = ()
    group: str = ""

    @property
    def correct(self) -> bool:
        """Whether exactly the right labels were given."""
        return set(self.predicted) == set(self.gold)

    def has(self, label: str) -> bool:
        return label in self.gold

    def was_given(self, label: str) -> bool:
        return label in self.predicted


@dataclass(frozen=True)
class LabelSetPredictions:
    """Predictions of one model; `thresholds` are the probabilities from which each label is given.

    Raises ValueError for repeated row ids or figures that do not fit the labels.
    """

    labels: tuple[str, ...]
    items: tuple[LabelSetPrediction, ...]
    thresholds: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        refuse_repeats(item.row_id for item in self.items)
        widths = {len(item.probabilities) for item in self.items} | (
            {len(self.thresholds)} if self.thresholds else set()
        )
        if not widths <= {0, len(self.labels)}:
            raise ValueError(f"{len(self.labels)} labels, but figures for {sorted(widths)}")

    def __len__(self) -> int:
        return len(self.items)

    @classmethod
    def of(
        cls,
        labels: Sequence[str],
        examples: Sequence[Example],
        probabilities: Sequence[Sequence[float]],
        thresholds: Sequence[float] = (),
    ) -> LabelSetPredictions:
        """Join examples with the probability of each label; a label is given from its threshold (one half if not said).

        Raises UserError where a probability is no number.
        """
        cuts = tuple(thresholds) or (HALF,) * len(labels)
        items = []
        for example, row in zip(examples, probabilities, strict=True):
            if not all(map(math.isfinite, row)):
                raise not_numbers()
            given = tuple(label for label, p, cut in zip(labels, row, cuts, strict=True) if p >= cut)
            items.append(LabelSetPrediction(example.row_id, example.labels or (), given, tuple(map(float, row))))
        return cls(tuple(labels), tuple(items), cuts)

    @cached_property
    def groups(self) -> tuple[str, ...] | None:
        """The key of each row's group, or None where all rows are independent."""
        return group_keys((item.group for item in self.items), self.items)

    @cached_property
    def matrix(self) -> NDArray[np.float64]:
        """Probabilities, shape (rows, labels)."""
        return np.array([item.probabilities for item in self.items], dtype=np.float64).reshape(len(self.items), -1)

    def indicators(self, classes: Sequence[str]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Whether each row has, and was given, each class: two arrays of shape (rows, classes)."""
        place = {label: k for k, label in enumerate(classes)}
        gold, given = (np.zeros((len(self.items), len(classes)), dtype=bool) for _ in range(2))
        for i, item in enumerate(self.items):
            for target, found in ((gold, item.gold), (given, item.predicted)):
                target[i, [place[label] for label in found if label in place]] = True
        return gold, given

    def right_answers(self) -> set[str]:
        """Every label that some row has."""
        return {label for item in self.items for label in item.gold}

    def select(self, row_ids: Sequence[str]) -> LabelSetPredictions:
        """These rows, in this order. Raises KeyError for an unknown row."""
        by_id = {item.row_id: item for item in self.items}
        return LabelSetPredictions(self.labels, tuple(by_id[row_id] for row_id in row_ids), self.thresholds)

    def to_table(self) -> pa.Table:
        about = json.dumps({"labels": self.labels, "thresholds": self.thresholds}).encode()
        return to_table(self.items, SCHEMA.with_metadata({META: about}))

    @classmethod
    def from_table(cls, table: pa.Table) -> LabelSetPredictions:
        about = json.loads((table.schema.metadata or {})[META])
        listed = ("gold", "predicted", "probabilities")
        items = (
            LabelSetPrediction(**row | {name: tuple(row[name] or ()) for name in listed})
            for row in rows_of(table, SCHEMA)
        )
        return cls(tuple(about["labels"]), tuple(items), tuple(about["thresholds"]))
