"""Another program holds the database during a real training: the steps go on, and no point of a curve is lost."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from test_out_of_memory import RECIPE, done
from waiting import until

from core.services import runs
from core.store import curves
from core.store import engine as engines
from core.store.tables import Project
from core.training.trainers import ClassifierTrainer

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that gives up waiting for a lock after a tenth of a second."""
    monkeypatch.setattr(engines, "BUSY_TIMEOUT_SECONDS", 0.1)


def test_behind_a_lock_the_steps_go_on_to_the_next_checkpoint_and_nothing_is_lost(
    impatient: None, small_project: Project, storage: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:  # fmt: skip
    undisturbed = done(runs.start(small_project.id, RECIPE.model_copy(update={"epochs": 2})))
    other = sqlite3.connect(storage / "tunewell.db", isolation_level=None, check_same_thread=False, timeout=30)
    plain, behind = ClassifierTrainer.training_step, list[int]()

    def let_go() -> None:
        until(lambda: caplog.text.count("trying again") >= 3, "three tries to write")
        other.rollback()

    waits = threading.Thread(target=let_go)

    def step(self: Any, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> torch.Tensor:
        if self.state.global_step == 5:  # just after a checkpoint; nobody may even read
            other.execute("BEGIN EXCLUSIVE")
        if other.in_transaction:
            behind.append(self.state.global_step)
            if len(behind) == 3:
                waits.start()
        return plain(self, model, inputs, *args, **kwargs)

    monkeypatch.setattr(ClassifierTrainer, "training_step", step)
    run = done(runs.start(small_project.id, RECIPE.model_copy(update={"epochs": 2})))
    waits.join(60)
    other.close()
    assert behind[:3] == [5, 6, 7], "the training stood still"
    assert not [e for e in curves.events(run.id) if e.kind == "resumed"], "it was interrupted"

    def points(name: str, split: str, run_id: str) -> list[tuple[int, float | None]]:
        return [(p.step, p.value) for p in curves.points(run_id, [(name, split)])]

    for split in ("batch", "validation", "train"):
        assert points("loss", split, run.id) == points("loss", split, undisturbed.id), split
    assert [c.step for c in curves.checkpoints(run.id)] == [c.step for c in curves.checkpoints(undisturbed.id)]
