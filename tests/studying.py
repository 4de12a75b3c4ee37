"""Stand in for the worker's training: finish the runs of a study at once, with scores that a function gives."""

from __future__ import annotations

import time
from collections.abc import Callable

from core.schemas.jobs import Desired, JobKind, JobState
from core.schemas.recipe import Recipe
from core.services import runs
from core.store import curves, jobs
from core.store.engine import write
from core.store.tables import Run


def take() -> tuple[Run, int] | None:
    """Claim the next training, as the worker does."""
    found = jobs.claim([JobKind.TRAIN], "me")
    return (runs.get(str(found[0].payload["run_id"])), found[1]) if found else None


def evaluated(run: Run, losses: list[float], first: int = 1) -> None:
    """Add validation losses, one an evaluation, as a training records them."""
    recipe = Recipe.model_validate(run.recipe)
    with write() as session:
        curves.append(
            session,
            [
                curves.Point(run.id, "loss", "validation", 10 * n, n / recipe.evaluations_per_epoch, loss, time.time())
                for n, loss in enumerate(losses, start=first)
            ],
        )


def finish(run: Run, fence: int, score: float, ended: str = "done") -> None:
    summary = {
        "best_step": 10, "best_metric": "eval_loss", "best_value": score, "ended": ended, "seconds": 60.0, "steps": 40,
        "train_tokens": 60_000, "examples": {"train": 64, "validation": 8}, "peak_memory": 10**9, "device": "CPU",
    }  # fmt: skip
    runs.store_summary(run.id, summary)
    jobs.finish(run.job_id or "", fence, JobState.DONE, {"run_id": run.id})


def fail(run: Run, fence: int) -> None:
    error = {"title": "The training became unstable.", "cause": "", "fix": ""}
    jobs.finish(run.job_id or "", fence, JobState.FAILED, None, error)


def work(score: Callable[[Recipe], float], evaluations: int = 4) -> Run | None:
    """Do the next training from its first evaluation to its end. None where nothing waits."""
    taken = take()
    if taken is None:
        return None
    run, fence = taken
    end = score(Recipe.model_validate(run.recipe))
    evaluated(run, [end + 1 - n / evaluations for n in range(1, evaluations + 1)])
    finish(run, fence, end)
    return run


def wanted(run: Run) -> Desired:
    job = runs.job_of(runs.get(run.id))
    assert job is not None
    return job.desired
