"""Openings of a test set: each is counted and dated with its round and its reason, and what they may have cost is told.

A test set is a lineage of dataset versions. An evaluation on test rows and a final audit on test rows are openings alike,
whoever asked for them: the dashboard or the command line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.data import test_wear
from core.data.in_words import significant, times
from core.schemas.estimates import Estimate
from core.schemas.evaluation import MetricRow
from core.store import records
from core.store.tables import Audit, DatasetVersion, Evaluation, Plan, Project, Run

from . import preparation
from .headlines import headline

# What a person may say; the first is what is meant by a test set.
REASONS = (
    "The final check before this model is used",
    "To compare it with another round",
    "To report a score",
)
AUDIT = "final audit"


@dataclass(frozen=True)
class Opening:
    """`at` is in seconds since 1970. `row` is the headline figure with all contenders, None for an audit."""

    at: float
    run_id: str
    lineage: int
    reason: str
    row: MetricRow | None = None

    @property
    def score(self) -> Estimate | None:
        return self.row.values.get("tuned") if self.row else None


@dataclass(frozen=True)
class Wear:
    """What choosing by this test set may have cost. `rounds` counts different models that were looked at; `optimism` is how
    much the best of them looks better than it is if they are equally good, in the unit of the headline metric `row`."""

    openings: int
    rounds: int
    optimism: float | None
    row: MetricRow | None
    worn: bool


def of_project(project_id: str) -> list[Opening]:
    """Every opening of every test set of the project, oldest first."""
    found = [
        Opening(e.created_at, e.run_id, e.lineage, e.reason, headline(e.id)[1])
        for e in records.find(Evaluation, project_id=project_id, split="test")
    ]
    for audit in records.find(Audit, project_id=project_id):
        run = records.get(Run, audit.run_id) if audit.result.get("split") == "test" and audit.run_id else None
        if run is not None:
            found.append(Opening(audit.created_at, run.id, _lineage(run.plan_id), AUDIT))
    return sorted(found, key=lambda o: o.at)


def of_lineage(project_id: str, lineage: int) -> list[Opening]:
    """Each time this test set was opened, oldest first."""
    return [o for o in of_project(project_id) if o.lineage == lineage]


def wear(found: Sequence[Opening]) -> Wear:
    """What these openings, all of one test set, may have cost."""
    models = {o.run_id for o in found}
    scored = [o for o in found if o.score is not None]
    # The luck of the best is counted by models, not by looks: looking twice at one model tells nothing new.
    known = len({o.run_id for o in scored})
    gain = test_wear.optimism(scored[-1].score, known) if scored and scored[-1].score is not None else None
    row = scored[-1].row if scored else None
    return Wear(len(found), len(models), gain, row, test_wear.worn(len(models)))


def gain_of(found: Sequence[Opening], models: int) -> str | None:
    """How much the best of so many rounds would look better than it is, in words; None where no score is known yet."""
    known = next((o for o in reversed(found) if o.score is not None), None)
    if known is None or known.row is None or known.score is None:
        return None
    gain = test_wear.optimism(known.score, models)
    return None if gain is None else in_unit(known.row, gain)


def in_unit(row: MetricRow, value: float) -> str:
    """A difference of this metric: "2.1 points" for a share, else the number."""
    return f"{100 * value:.1f} points" if row.format == "percent" else significant(value)


def sentence(found: Wear) -> str:
    """How often the set was opened and what that means, for a person."""
    if not found.openings:
        return "The test set was not opened yet. Its score is as honest as it can be."
    rounds = f"{found.rounds} round{'s' * (found.rounds != 1)}"
    said = f"The test set was opened {times(found.openings)}, for {rounds}."
    if found.rounds < 2 or found.optimism is None or found.row is None:
        return said
    return (
        f"{said} If you pick the best of {found.rounds} equally good rounds by it, luck alone makes that one look about "
        f"{in_unit(found.row, found.optimism)} better than it is."
    )


@dataclass(frozen=True)
class TestSet:
    """A test set that a round can be measured on. `fresh`: it was added after the round was trained."""

    lineage: int
    plan_id: str
    rows: int
    fresh: bool


def test_sets(project: Project, run: Run) -> list[TestSet]:
    """The round's own, and those that were added later to its project and share no row with its training; newest first.

    The text of their rows is compared with the training rows when they are evaluated (`core/services/honest.py`).
    """
    own = preparation.get_plan(run.plan_id)
    version = records.get(DatasetVersion, own.dataset_version_id)
    if version is None:
        return []
    found = {version.lineage: TestSet(version.lineage, own.id, int(own.counts.get("test", 0)), fresh=False)}
    learned: set[str] | None = None
    for later in records.find(DatasetVersion, project_id=project.id):
        if later.lineage <= version.lineage or later.lineage in found or later.origin.get("kind") != "fresh test":
            continue
        plans = records.find(Plan, project_id=project.id, dataset_version_id=later.id, newest_first=False, limit=1)
        if not plans or later.roles != version.roles:
            continue
        if learned is None:
            learned = {row for row, part in preparation.assignment(own).items() if part == "train"}
        test = {row for row, part in preparation.assignment(plans[0]).items() if part == "test"}
        if not learned & test:
            found[later.lineage] = TestSet(later.lineage, plans[0].id, len(test), fresh=True)
    return [found[lineage] for lineage in sorted(found, reverse=True)]


def _lineage(plan_id: str) -> int:
    version = records.get(DatasetVersion, preparation.get_plan(plan_id).dataset_version_id)
    return version.lineage if version else 0
