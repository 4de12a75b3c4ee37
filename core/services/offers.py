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


def base_name(run: Run, other: Run) -> str:
    """The name of `other`'s base model where `run` is served: `base` where both are compared with the same one."""
    return BASE if _origin(run) == _origin(other) else f"{BASE}-{other.number}"


def of(run: Run) -> dict[str, Offer]:
    """By name: `tuned` and `base` of this run, every finished round of its project, and the base models of those that are
    compared with another one. All answers are filtered alike, a base model's by the rules of the round beside it."""
    rounds = sorted(runs.finished(run.project_id), key=lambda r: r.number)
    bases = {base_name(run, r): _base(r) for r in rounds if _origin(r) != _origin(run)}
    return {TUNED: _round(run), BASE: _base(run), **{name_of(r): _round(r) for r in rounds}, **bases}


def _origin(run: Run) -> tuple[str | None, ...]:
    """What a base model is asked with: the same for two runs whose base models answer alike."""
    return run.base_model_key, run.start_run_id, run.task, run.plan_id


def _base(run: Run) -> Offer:
    guard = partial(output_filters.guard_of, run)
    family = tasks()[run.task].family
    return Offer(f"base-of-{run.id}", f"the base model of round {run.number}", family, run.created_at, True, run, guard)


def _round(run: Run) -> Offer:
    guard = partial(output_filters.guard_of, run)
    return Offer(run.id, f"round {run.number}, {run.name}", tasks()[run.task].family, run.created_at, False, run, guard)
