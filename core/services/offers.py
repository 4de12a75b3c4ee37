"""Which models of a project can be asked: every finished round, and the base model of the one that is served."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from core.data.output_filter import OutputFilter
from core.schemas.families import FAMILIES
from core.schemas.plan import PreparationPlan
from core.store.files import run_folder
from core.store.tables import Run
from core.tasks import registry as tasks

from . import output_filters, preparation, runs

TUNED, BASE = "tuned", "base"


@dataclass(frozen=True)
class Offer:
    """One model under one name. `weights` is the same for two names of one model; `base` says that it is the untouched one."""

    weights: str
    title: str
    family: str
    created: float
    base: bool
    run: Run
    guard: Callable[[], OutputFilter | None]

    @property
    def folder(self) -> str:
        """Where the round's model lies, or the base model."""
        return runs.compared_with(self.run) if self.base else str(run_folder(self.run.id))

    @property
    def plan(self) -> PreparationPlan:
        return PreparationPlan.model_validate(preparation.get_plan(self.run.plan_id).config)

    @property
    def labels(self) -> tuple[str, ...]:
        """What the base model is asked about; a round knows its own."""
        plan = preparation.get_plan(self.run.plan_id)
        return preparation.labels(plan, self.run.task) if FAMILIES[self.family].labels else ()

    @property
    def label_prompt(self) -> Callable[[str, Sequence[str]], str]:
        return tasks()[self.run.task].label_prompt


def name_of(run: Run) -> str:
    return f"round-{run.number}"


def of(run: Run) -> dict[str, Offer]:
    """By name: `tuned` and `base` of this run, and every finished round of its project. All answers are filtered alike, the
    base model's by the rules of the round beside it."""
    rounds = {name_of(r): _round(r) for r in sorted(runs.finished(run.project_id), key=lambda r: r.number)}
    base = Offer(
        f"base-of-{run.id}", "the base model", tasks()[run.task].family, run.created_at, True, run,
        partial(output_filters.guard_of, run),
    )  # fmt: skip
    return {TUNED: _round(run), BASE: base, **rounds}


def _round(run: Run) -> Offer:
    guard = partial(output_filters.guard_of, run)
    return Offer(run.id, f"round {run.number}", tasks()[run.task].family, run.created_at, False, run, guard)
