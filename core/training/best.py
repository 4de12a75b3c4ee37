"""Which evaluation was the best, and whether to stop early: pure functions of the Trainer's log, so a resume agrees."""

from __future__ import annotations

from typing import Any, NamedTuple

LOGGED = {
    "eval_loss": "eval_validation_loss",
    "accuracy": "eval_validation_accuracy",
    "macro_f1": "eval_validation_macro_f1",
    "micro_f1": "eval_validation_micro_f1",
    "mae": "eval_validation_mae",
    "token_accuracy": "eval_mean_token_accuracy",
    "preference_accuracy": "eval_validation_preference_accuracy",
}


TRAINED_ON = "trained_on"  # key of the row that marks where an ended run is trained on


class Best(NamedTuple):
    step: int
    value: float
    since: int  # evaluations after it without improvement


def value_at(history: list[dict[str, Any]], step: int, metric: str) -> float | None:
    """The validation figure `metric` of this step in `state.log_history`; None where it was not evaluated there."""
    found = [
        row[LOGGED[metric]] for row in history if row["step"] == step and _validates(row) and LOGGED[metric] in row
    ]
    return float(found[-1]) if found else None


def _validates(row: dict[str, Any]) -> bool:
    """Whether the row is of the validation part: the fixed training rows are logged beside it, some figures under one name."""
    return "eval_validation_loss" in row


def best_evaluation(history: list[dict[str, Any]], metric: str, higher_is_better: bool) -> Best | None:
    """The best validation in `state.log_history`; the untrained model at step 0 does not count. NaN is never best.

    Where an ended run is trained on, the evaluations without improvement are counted anew from there.
    """
    best: Best | None = None
    for row in history:
        if best is not None and TRAINED_ON in row:
            best = best._replace(since=0)
        if not _validates(row) or row["step"] == 0:
            continue
        value = row.get(LOGGED[metric])
        better = (
            value is not None
            and value == value
            and (best is None or (value > best.value if higher_is_better else value < best.value))
        )
        if better and value is not None:
            best = Best(row["step"], float(value), 0)
        elif best is not None:
            best = best._replace(since=best.since + 1)
    return best
