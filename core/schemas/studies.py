"""Several runs with one question: which settings are good (a sweep), how much is luck (seeds)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, model_validator

from .base import Schema

Scale = Literal["log", "linear", "whole", "doubling"]


class Search(Schema):
    """Values of one setting of the recipe from `low` to `high`: evenly on a logarithmic or linear scale, in whole numbers,
    or by doubling (powers of two)."""

    name: str
    scale: Scale
    low: float
    high: float

    @model_validator(mode="after")
    def _in_order(self) -> Search:
        if not self.low < self.high:
            raise ValueError("The lowest value must be below the highest")
        if self.scale == "log" and self.low <= 0:
            raise ValueError("The lowest value must be more than 0")
        return self


class SweepPlan(Schema):
    """What a sweep tries, and what it may cost."""

    search: tuple[Search, ...] = ()
    runs: int = Field(
        10,
        title="Rounds at most",
        description="Each is a whole training with other settings; poor ones are stopped early.",
        ge=2,
        le=200,
    )
    minutes: int = Field(
        0,
        title="Time at most",
        description="No new round begins after so many minutes of training; the one at work is finished. 0 sets no limit.",
        ge=0,
        le=100_000,
        json_schema_extra={"unit": "minutes"},
    )
    prune: bool = Field(
        True,
        title="Stop poor rounds early",
        description="A round that is worse than the middle one of the rounds before, at the same evaluation, is stopped.",
    )
    disk: float = Field(
        1.0,
        title="Disk space for checkpoints",
        description="When the sweep has ended, the checkpoints of its rounds are removed, those of the worst round first, until "
        "the rest takes no more. Curves and models of all rounds stay, and so do the checkpoints of the best round and those "
        "that you keep.",
        ge=0,
        le=100_000,
        json_schema_extra={"unit": "GB"},
    )
    seed: int = Field(
        17,
        title="Seed of the search",
        description="With the same results so far the same seed proposes the same settings.",
        ge=0,
        le=2**31 - 1,
    )


class TrialState(StrEnum):
    """DONE ran to its end; PRUNED was stopped by the sweep, STOPPED by a person; FAILED left no score."""

    DONE = "done"
    PRUNED = "pruned"
    STOPPED = "stopped"
    FAILED = "failed"


class Outcome(Schema):
    """How a trial ended. `score` is the best validation figure of the run; `evaluations` the figure at each evaluation, counted
    from 1; `seconds` what the run took."""

    state: TrialState
    score: float | None = None
    evaluations: dict[int, float] = {}
    seconds: float = 0.0
    reason: str = ""


class Tried(Schema):
    """What the search knows of one trial."""

    values: dict[str, Any]
    outcome: Outcome
