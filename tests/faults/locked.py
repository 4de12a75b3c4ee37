"""The database locked for a minute, during a real training with the dashboard open. Run by hand; it takes about three minutes:

    python -m tests.faults.locked [--seconds 60]

Another connection takes the database for itself alone, so that nobody can write or even read. Afterwards the dashboard has to
show the run again within 5 seconds, and the run must have its curves whole: no step missing or doubled. It also counts the steps
that were made behind the lock: the training goes on to its next checkpoint, which needs a proof that the job is still its own.
"""

from __future__ import annotations

import argparse
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.store.tables import Run

from .product import LONG, Product

BATCH, EPOCHS = 4, 40
MOST_LOGGED_POINTS = 400  # of the batch loss (core/training/arguments.py)
BACK_SECONDS = 5.0  # until the dashboard shows the run again


def hold(file: Path, seconds: float) -> tuple[float, float]:
    """Lock the database against everybody. Returns when the lock began and when it ended, in seconds since 1970."""
    other = sqlite3.connect(file, isolation_level=None, timeout=30)
    other.execute("BEGIN EXCLUSIVE")
    began = time.time()
    time.sleep(seconds)
    ended = time.time()
    other.execute("ROLLBACK")
    other.close()
    return began, ended


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    from waiting import until

    from core.schemas.recipe import Recipe
    from core.services import runs
    from core.store import curves, jobs

    def step_of(run: Run) -> int:
        return curves.latest(run.id).get(("loss", "batch"), (0, None))[0]

    def shown_step(run: Run) -> int:
        job = jobs.get(run.job_id or "")
        return int(job.done) if job is not None else 0

    with Product() as product:
        recipe = Recipe(
            method="lora",
            batch_size=BATCH,
            epochs=EPOCHS,
            evaluations_per_epoch=1,
            learning_rate=1e-3,
            early_stopping=0,
        )
        run = runs.start(product.project_id, recipe)
        page = product.open(run)
        until(lambda: step_of(run) >= 80, "the run is under way", LONG)
        usual = product.seconds_until_alive(page, after=shown_step(run))
        before = shown_step(run)
        began, ended = hold(product.storage / "tunewell.db", options.seconds)
        shown = product.seconds_until_alive(page, after=before)
        until(lambda: shown_step(run) > before + 40, "steps after the lock", LONG)
        points = curves.points(run.id, [("loss", "batch")])
        behind = [p.step for p in points if began <= p.at <= ended]
        product.finish(run)
        made = [p.step for p in curves.points(run.id, [("loss", "batch")])]
        last = (runs.get(run.id).summary or {})["steps"]
        evaluated = [p.step for p in curves.points(run.id, [("loss", "validation")])]
        epoch = evaluated[1]
        assert evaluated == [*range(0, last, epoch), last], evaluated
        every = max(1, epoch * EPOCHS // MOST_LOGGED_POINTS)
        drawn = {1, *range(every, last, every), *range(epoch, last, epoch), last}
        assert made == sorted(drawn), f"missing {sorted(drawn - set(made))}, too many {sorted(set(made) - drawn)}"
        events = [e.kind for e in curves.events(run.id)]
        print(
            f"locked for {ended - began:.0f} s: {len(behind)} points of the batch loss were made behind it, 0 of {len(made)} "
            f"were lost, the run was interrupted {events.count('resumed')} times; the page showed it again after {shown:.1f} s "
            f"(without a lock the next step is shown after {usual:.1f} s here)",
            flush=True,
        )
        assert shown <= BACK_SECONDS, f"the page took {shown:.1f} s"
        assert behind, "the training stood still"


if __name__ == "__main__":
    main()
