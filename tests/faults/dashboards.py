"""The dashboard killed twenty times during a training, then everything at once. Run by hand; it takes some minutes:

    python -m tests.faults.dashboards [--kills 20]

The step rate has to be the same while dashboards die as without any; the page has to show the run at most 3 seconds after the
dashboard answers again; and after everything was killed and started again, no run may stay "running" in the name of a dead
process for 30 seconds. Rates are told twice: by the clock, which on a busy machine says more about the other work, and by the
processor time that a step of the training takes.
"""

from __future__ import annotations

import argparse
import time
from statistics import median
from typing import TYPE_CHECKING

import psutil

from .product import LONG, Product

if TYPE_CHECKING:
    from core.store.tables import Run

SHOWN_SECONDS, TAKEN_SECONDS = 3.0, 30.0
STEPS = 150  # without a dashboard that dies, before and after


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=20)
    options = parser.parse_args()
    from job_processes import job_processes
    from waiting import until

    from core.schemas.recipe import Recipe
    from core.services import runs
    from core.store import curves, jobs

    def step_of(run: Run) -> int:
        job = jobs.get(run.job_id or "")
        return int(job.done) if job is not None and job.phase == "Training" else 0

    def child() -> psutil.Process:
        assert product.worker._process is not None
        (only,) = job_processes(product.worker._process.pid)
        return only

    class Rate:
        """Seconds a step, by the clock and of the processor, between two calls."""

        def __init__(self) -> None:
            self.mark()

        def mark(self) -> tuple[float, float]:
            now = (time.monotonic(), sum(child().cpu_times()[:2]), step_of(run))
            before, self.last = getattr(self, "last", now), now
            steps = max(1, now[2] - before[2])
            return (now[0] - before[0]) / steps, (now[1] - before[1]) / steps

    with Product() as product:
        recipe = Recipe(
            method="lora", batch_size=16, epochs=300, evaluations_per_epoch=1, learning_rate=1e-3, early_stopping=0
        )  # fmt: skip
        run = runs.start(product.project_id, recipe)
        page = product.open(run)
        until(lambda: step_of(run) >= 30, "the run is under way", LONG)
        rate = Rate()

        def undisturbed() -> tuple[float, float]:
            rate.mark()
            there = step_of(run) + STEPS
            until(lambda: step_of(run) >= there, "steps without a kill", LONG)
            return rate.mark()

        before = undisturbed()
        shown = []
        rate.mark()
        for _ in range(options.kills):
            product.server.kill()
            there = step_of(run)
            product.start_server()
            shown.append(product.seconds_until_alive(page, after=there))
        during = rate.mark()
        after = undisturbed()
        clock, processor = ([1000 * x[i] for x in (before, during, after)] for i in (0, 1))
        slower = during[1] / ((before[1] + after[1]) / 2) - 1
        print(
            f"{options.kills} dashboards killed. A step took {clock[0]:.0f}, {clock[1]:.0f}, {clock[2]:.0f} ms by the clock"
        )
        print(
            f"before, during and after, and {processor[0]:.0f}, {processor[1]:.0f}, {processor[2]:.0f} ms of the processor "
            f"({100 * slower:+.1f}%). The page showed the run {median(shown):.1f} s after the answer (median), "
            f"{max(shown):.1f} s at most.",
            flush=True,
        )
        assert [e.kind for e in curves.events(run.id)].count("resumed") == 0, "the run was interrupted"

        job = jobs.get(run.job_id or "")
        assert job is not None
        fence = next(f for job_id, _, f, _ in jobs.running() if job_id == job.id)
        its_child = child()
        for victim in (product.worker, product.server):
            victim.kill()
        its_child.kill()
        began = time.monotonic()
        product.worker.start()
        until(lambda: any(f > fence for job_id, _, f, _ in jobs.running() if job_id == job.id), "a new owner", 60)
        taken = time.monotonic() - began
        until(lambda: [e.kind for e in curves.events(run.id)].count("resumed") == 1, "it goes on", LONG)
        resumed = time.monotonic() - began
        product.start_server()
        product.finish(run)
        print(
            f"everything killed: taken back {taken:.1f} s after the start of the worker, training again after {resumed:.1f} s"
        )
        assert taken <= TAKEN_SECONDS


if __name__ == "__main__":
    main()
