"""Whose answers can be compared: the round, what it came from, other rounds, and the answers in the data."""

from __future__ import annotations

from core.schemas.reviews import AGAIN, BASE, REFERENCE, TUNED, Contender
from core.store import records
from core.store.tables import Run
from core.tasks import registry as tasks

from . import datasets, runs


def contenders(run: Run) -> list[Contender]:
    """Everyone whose answers can be compared with this round's, the round itself first."""
    begun = records.get(Run, run.start_run_id) if run.start_run_id else None
    base = f"Round {begun.number}, where it began" if begun else "Base model"
    found = [
        Contender(key=TUNED, title=f"Round {run.number}", run_id=run.id),
        Contender(key=BASE, title=base),
        Contender(key=AGAIN, title=f"Round {run.number}, a second answer", run_id=run.id),
    ]
    known, family = tasks(), tasks()[run.task].family
    for other in runs.finished(run.project_id):
        fits = known[other.task].family == family and known[other.task].conversational == known[run.task].conversational
        if fits and other.id not in (run.id, run.start_run_id):
            found.append(Contender(key=f"run-{other.id}", title=f"Round {other.number}", run_id=other.id))
    return [*found, Contender(key=REFERENCE, title="The answer in your data")]


def usual(run: Run) -> list[Contender]:
    """The round and what it came from."""
    everyone = {c.key: c for c in contenders(run)}
    before = came_from(run)
    other = everyone.get(f"run-{before.id}", everyone[BASE]) if before else everyone[BASE]
    return [everyone[TUNED], other]


def came_from(run: Run) -> Run | None:
    """The round whose judgements taught this one, or that it began with; None for a first round."""
    judged = datasets.get_version(run.dataset_version_id).origin.get("run")
    before = run.start_run_id or judged
    return records.get(Run, before) if before else None
