"""Mitigate: train as a corrective action wants it, audit again, and judge by the double gate whether the action helped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.schemas.examples import Example
from core.schemas.jobs import Job
from core.services import audits, corrections, runs
from core.store.tables import Run
from core.worker.handlers.audit_job import audit_run
from core.worker.handlers.train_job import train_run
from core.worker.recorder import JobRecorder


def run(job: Job, recorder: JobRecorder) -> dict[str, Any]:
    if job.payload.get("first_half"):
        return _first_half(job, recorder)
    correction = corrections.get(job.payload["correction_id"])
    again = runs.get(job.payload["run_id"])
    if not again.summary:
        trained = train_run(job, recorder)
        runs.store_summary(again.id, trained.model_dump(mode="json"))
        again = runs.get(again.id)
    before = runs.get(str(correction.run_before_id))
    config = correction.config.get("audits", {})
    done, refused = audit_run(again, config, recorder)
    recorder.phase("Measuring the quality before and after")
    rows = runs.inputs(before).parts["validation"]  # the same for both
    after = quality(again, rows)
    judged = corrections.judge(correction, done, quality(before, rows), after)
    chance = corrections.control_of(correction)
    beside = {}
    if chance is not None and chance.audit_after_id:
        beside = corrections.judge_beside_chance(
            correction, done, quality(runs.get(str(chance.run_after_id)), rows), after
        )

    def store() -> dict[str, Any]:
        corrections.finish(correction, audits.store(again, config, done, refused), judged, beside)
        return {"correction_id": correction.id, "states": {k: g.state.value for k, g in judged.items()}}

    return recorder.deliver(store)


def _first_half(job: Job, recorder: JobRecorder) -> dict[str, Any]:
    """The model's own answers, for an action that works with them; the retrain is a job of its own."""
    recorder.phase("Starting the model engine")
    from core.training import predictors

    given = runs.inputs(runs.get(job.payload["of_run"]))
    model = predictors.tuned(given.folder, given.plan)

    def progress(done: int, total: int) -> None:
        recorder.obey()
        recorder.phase("The model answers questions twice", done, total)

    keep = corrections.from_failures(job.payload, model, progress)
    return recorder.deliver(lambda: {"correction_id": keep().id})


def quality(training: Run, rows: Sequence[Example]) -> dict[str, float]:
    """The main metric of every row: right or wrong, or the share of tokens that were the first choice."""
    from core.training import predictors

    given = runs.inputs(training)
    model = predictors.tuned(given.folder, given.plan)
    if given.family == "classifier":
        best = [max(range(len(p)), key=p.__getitem__) for p in model.classify([e.text for e in rows])]
        return {e.row_id: float(model.labels[i] == e.label) for e, i in zip(rows, best, strict=True)}
    prompts = [e.prompt if e.messages else "" for e in rows]
    scores = model.score(prompts, [e.reference if e.messages else e.text for e in rows])
    return {e.row_id: s.correct / max(1, s.tokens) for e, s in zip(rows, scores, strict=True)}
