"""The number that a model gave each text, beside the right one, both in the person's own units."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .examples import Example
from .prediction_rows import group_keys, not_numbers, refuse_repeats, rows_of, to_table

SCHEMA = pa.schema({"row_id": pa.string(), "gold": pa.float64(), "predicted": pa.float64(), "group": pa.string()})


@dataclass(frozen=True, slots=True)
class NumberPrediction:
    row_id: str
    gold: float
    predicted: float
    group: str = ""

    @property
    def error(self) -> float:
        """Predicted minus right."""
        return self.predicted - self.gold


@dataclass(frozen=True)
class NumberPredictions:
    """Predictions of one model. Raises ValueError for repeated row ids."""

    items: tuple[NumberPrediction, ...]

    def __post_init__(self) -> None:
        refuse_repeats(item.row_id for item in self.items)

    def __len__(self) -> int:
        return len(self.items)

    @classmethod
    def of(cls, examples: Sequence[Example], values: Sequence[float]) -> NumberPredictions:
        """Join examples with what was predicted. Raises UserError where a prediction is no number."""
        if not all(map(math.isfinite, values)):
            raise not_numbers()
        pairs = zip(examples, values, strict=True)
        return cls(tuple(NumberPrediction(e.row_id, float(e.value or 0.0), float(v)) for e, v in pairs))

    @cached_property
    def groups(self) -> tuple[str, ...] | None:
        """The key of each row's group, or None where all rows are independent."""
        return group_keys((item.group for item in self.items), self.items)

    @cached_property
    def gold(self) -> NDArray[np.float64]:
        """The right numbers, shape (rows,)."""
        return np.array([item.gold for item in self.items])

    @cached_property
    def predicted(self) -> NDArray[np.float64]:
        """What the model said, shape (rows,)."""
        return np.array([item.predicted for item in self.items])

    def select(self, row_ids: Sequence[str]) -> NumberPredictions:
        """These rows, in this order. Raises KeyError for an unknown row."""
        by_id = {item.row_id: item for item in self.items}
        return NumberPredictions(tuple(by_id[row_id] for row_id in row_ids))

    def to_table(self) -> pa.Table:
        return to_table(self.items, SCHEMA)

    @classmethod
    def from_table(cls, table: pa.Table) -> NumberPredictions:
        return cls(tuple(NumberPrediction(**row) for row in rows_of(table, SCHEMA)))
