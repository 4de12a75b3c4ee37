"""What a metric is: a name, one sentence of help, which way is better, and how to measure and compare predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.schemas.estimates import Estimate
from core.schemas.families import Family
from core.schemas.predictions import TextPrediction

Floats = NDArray[np.float64]
CLASSIFIER: tuple[Family, ...] = ("classifier",)
MULTI_LABEL: tuple[Family, ...] = ("multi-label",)
REGRESSION: tuple[Family, ...] = ("regression",)
CAUSAL_LM: tuple[Family, ...] = ("causal-lm",)
SEQ2SEQ: tuple[Family, ...] = ("seq2seq",)
WRITERS: tuple[Family, ...] = (*CAUSAL_LM, *SEQ2SEQ)


@dataclass(frozen=True)
class Change:
    """Tuned minus base on the same rows. `improvement` is set where neither more nor less is better: how much nearer to
    the ideal value tuned has come (positive is better).
    """

    estimate: Estimate
    p: float | None = None
    test: str = ""
    improvement: Estimate | None = None


class Metric:
    """One metric. `help` is one plain sentence. `format` says how to show a value: "percent" for shares (0.91 is 91%),
    "number" otherwise. `bounds` are the least and greatest possible value, None where open. `ideal` is set where a
    value in the middle is best: comparisons then judge how much nearer tuned has come to it. Not `judged` is what is neither
    better nor worse by itself.
    """

    key: str
    title: str
    help: str
    higher_is_better: bool = True
    ideal: float | None = None
    format: Literal["percent", "number"] = "number"
    families: tuple[Family, ...]
    bounds: tuple[float, float] | None = None
    order: int = 100
    judged: bool = True

    def usable(self, item: Any) -> bool:
        """Whether this prediction holds what the metric needs (a likelihood, a text, a reference)."""
        return True

    def compute(self, predictions: Any) -> Estimate | None:
        """The value over all usable predictions with its 95% interval; None where there are none."""
        usable = self.keep_usable(predictions)
        return self.measure(usable) if len(usable) else None

    def measure(self, predictions: Any) -> Estimate | None:
        """As `compute`, all predictions being usable and at least one there."""
        raise NotImplementedError

    def change(self, base: Any, tuned: Any) -> Change | None:
        """Tuned minus base; the same rows in the same order, all usable and at least one there."""
        raise NotImplementedError

    def per_item(self, predictions: Any) -> list[float] | None:
        """One value a row (NaN where a row has none), or None where the metric exists only for many rows together."""
        return None

    def warning(self, predictions: Any) -> str:
        """One sentence where the figure should be read with care, else nothing."""
        return ""

    def keep_usable(self, predictions: Any) -> Any:
        kept = [item.row_id for item in predictions.items if self.usable(item)]
        return predictions if len(kept) == len(predictions) else predictions.select(kept)


def common_groups(base: Any, tuned: Any) -> Sequence[str] | None:
    """The groups of the rows, from whichever side knows them."""
    return tuned.groups if tuned.groups is not None else base.groups


def identical(rows: int) -> Change:
    """Base and tuned agree in every row: an exact zero, where resampling would find nothing to vary."""
    return Change(Estimate(value=0.0, n=rows, low=0.0, high=0.0, method="identical on every row"), 1.0)


def was_scored(item: TextPrediction) -> bool:
    return item.nll is not None and item.scored_tokens > 0


def is_pair(item: TextPrediction) -> bool:
    """Whether a better and a worse answer were put in an order."""
    return bool(item.rejected) and item.rejected != item.reference and item.margin is not None


def was_written(item: TextPrediction) -> bool:
    return item.text is not None


def has_both_texts(item: TextPrediction) -> bool:
    """Whether there is an answer and a reference to hold it against."""
    return item.text is not None and bool(item.reference.strip())
