"""Serve: keep base and tuned model loaded for the playground until it is stopped or nobody asks any more."""

from __future__ import annotations

import time
from typing import Any

from core.schemas.jobs import Desired, Job
from core.schemas.predictor import Predictor
from core.services import output_filters, playground, runs
from core.tasks import registry as tasks
from core.worker.model_server import ModelServer
from core.worker.recorder import JobRecorder

IDLE_SECONDS = 600


def run(job: Job, recorder: JobRecorder) -> dict[str, Any]:
    recorder.phase("Loading the models")
    from core.training import predictors

    training = runs.get(job.payload["run_id"])
    given = runs.inputs(training)
    prompt = tasks()[training.task].label_prompt
    models: dict[str, Predictor] = {"tuned": predictors.tuned(given.folder, given.plan)}
    base = predictors.base(given.base_folder, given.family, given.plan, given.labels, prompt)
    if base is not None:
        models["base"] = base
    server = ModelServer(models, lambda: output_filters.guard_of(training))
    playground.announce(job.id, server.address, server.key)
    recorder.phase("Ready")
    try:
        while recorder.wish() is Desired.RUN and not recorder.shutting_down():
            if time.monotonic() - server.last_used > IDLE_SECONDS:
                break
            time.sleep(0.3)
    finally:
        server.stop()
    return {"ended": "idle" if recorder.wish() is Desired.RUN else "stopped"}
