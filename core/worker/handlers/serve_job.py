"""Serve: answer for the models of a project, the chat's questions and those of other programs, until it is stopped. Without
other programs it ends when nobody asks any more."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from core.schemas.errors import UserError
from core.schemas.jobs import Desired, Job
from core.schemas.recorder import Interrupted
from core.services import offers, playground, runs
from core.worker.model_server import ModelServer
from core.worker.recorder import JobRecorder

LOOK_SECONDS = 0.3
ROUNDS_SECONDS = 5.0


def run(job: Job, recorder: JobRecorder) -> dict[str, Any]:
    if recorder.wish() is not Desired.RUN:  # stopped while it waited to be taken back from a worker that was killed
        return {"ended": "stopped"}
    recorder.phase("Loading the engine")
    from core.training import predictors
    from core.training.serving import Offered
    from core.training.serving_app import Serving

    training = runs.get(job.payload["run_id"])
    lasting = bool(job.payload.get("lasting"))

    opinions: dict[str, bool] = {}

    def has_opinion(o: offers.Offer) -> bool:
        if o.weights not in opinions:
            try:
                opinions[o.weights] = predictors.has_opinion(o.folder, o.family, o.labels)
            except UserError:  # its files are not on this machine any more; the round may well be
                opinions[o.weights] = False
        return opinions[o.weights]

    def opened(o: offers.Offer, tick: Callable[[int], None]) -> Any:
        if o.base:
            return predictors.base(o.folder, o.family, o.plan, o.labels, o.label_prompt, tick)
        return predictors.tuned(o.folder, o.plan, tick)

    def offer() -> dict[str, Offered]:
        return {
            name: Offered(o.weights, o.title, o.family, o.created, partial(opened, o), o.guard)
            for name, o in offers.of(training).items()
            if not o.base or has_opinion(o)
        }

    serving = Serving(offer, recorder.phase)
    server = _server(job, serving)
    try:
        known = list(offer())
        playground.announce(job.id, server.address, job.payload["key"], known)
        serving.load("tuned")
        looked = time.monotonic()
        while recorder.wish() is Desired.RUN and not recorder.shutting_down():
            if not (lasting or serving.holds_models):
                return {"ended": "idle"}
            if not server.alive:
                raise RuntimeError("the server's thread ended by itself")
            if time.monotonic() - looked > ROUNDS_SECONDS:
                looked = time.monotonic()
                if (now := list(offer())) != known:
                    known = now
                    playground.announce(job.id, server.address, job.payload["key"], known)
            time.sleep(LOOK_SECONDS)
    finally:
        serving.close()
        server.stop()
    if lasting and recorder.shutting_down() and recorder.wish() is Desired.RUN:
        raise Interrupted(Desired.PAUSE)  # it goes on at the next start, at the same address and with the same key
    return {"ended": "stopped"}


def _server(job: Job, serving: Any) -> ModelServer:
    """At the port that the person chose; else where it was before it was interrupted, if that is still free."""
    key, port = job.payload["key"], int(job.payload.get("port") or 0)
    before = urlsplit((job.result or {}).get("address", "")).port or 0
    try:
        return ModelServer(serving.app, serving, key, port or before)
    except UserError:
        if port:
            raise
    return ModelServer(serving.app, serving, key)
