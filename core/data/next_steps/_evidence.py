"""What a rule of the next steps reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from core.schemas.analysis import Calibration, NextStep, Suspect, WeakSlice
from core.schemas.evaluation import EvaluationResult

from ..coach import Advice


@dataclass(frozen=True)
class Near:
    """The training row that most resembles a row that went wrong. `gold` is right for the wrong row, `label` is what the
    training row says."""

    row_id: str
    gold: str
    said: str
    train_id: str
    label: str
    similarity: float


@dataclass(frozen=True)
class Evidence:
    """An evaluation, and what was found behind it. `train_rows` counts training rows by label, `advice` is what the coach
    says of the curves, `balance` and `label_thresholds` are the recipe's, `wrong` is how many rows went wrong (0 for
    models that write). `finished` and `repeated` are shares of answers that ended by themselves, and of repetition."""

    result: EvaluationResult
    wrong: int = 0
    train_rows: Mapping[str, int] = field(default_factory=dict)
    balance: str = "none"
    advice: Sequence[Advice] = ()
    calibration: Calibration | None = None
    slices: Sequence[WeakSlice] = ()
    suspects: Sequence[Suspect] = ()
    near: Sequence[Near] = ()
    rows_to_decide: int | None = None

    def figure(self, key: str, contender: str = "tuned") -> float | None:
        """The value of a metric, None where it was not measured."""
        row = self.result.metric(key)
        return row.values[contender].value if row and contender in row.values else None


@dataclass(frozen=True)
class Rule:
    """One rule; `run` returns nothing, one step, or the few best of its kind."""

    key: str
    run: Callable[[Evidence], list[NextStep]]
