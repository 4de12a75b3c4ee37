"""Judge: a language model elsewhere compares answers in both orders; what it says is kept as it comes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from core.data.judge_prompt import Said
from core.schemas.jobs import Desired, Job
from core.schemas.judging import JudgeSettings, Pair
from core.schemas.recorder import Interrupted
from core.services import evaluations, judging, runs
from core.services.judge_client import Client
from core.store import records
from core.store.job_tokens import read_token, take_token
from core.store.tables import Evaluation
from core.worker.recorder import JobRecorder
from core.worker.stages import Stages

SLICE_SECONDS = 0.2  # a wait is cut into these, so that a wish is heard within it


def run(job: Job, recorder: JobRecorder, sleep: Callable[[float], None] = time.sleep) -> dict[str, Any]:
    try:
        result = _judge(job, recorder, sleep)
    except Interrupted as stop:
        if stop.wish is Desired.CANCEL:
            take_token(job.id)
        raise  # else the worker ends, and the next one needs the key to go on
    except BaseException:
        take_token(job.id)
        raise
    take_token(job.id)
    return result


def _judge(job: Job, recorder: JobRecorder, sleep: Callable[[float], None]) -> dict[str, Any]:
    training = runs.get(job.payload["run_id"])
    settings = JudgeSettings.model_validate(job.payload["settings"])
    kept = records.get(Evaluation, job.payload["evaluation_id"])
    assert kept is not None  # deleted with its project, and so is this job
    stages = Stages(recorder)

    def pause(seconds: float) -> None:
        left = seconds
        while left > 0:
            recorder.obey()
            sleep(min(left, SLICE_SECONDS))
            left -= SLICE_SECONDS

    client = Client(settings.address, settings.model, read_token(job.id) or "", pause)
    votes, own = judging.voted(training), judging.pairs(evaluations.result(kept), settings.pairs)
    asked = [pair for pair in own if pair.base != pair.tuned]
    stages.begin("Asking the judge", 2 * (len(votes) + len(asked)))
    done = 0

    def compared(pairs: Sequence[Pair]) -> list[tuple[Pair, Said | None, Said | None]]:
        nonlocal done
        out = []
        for pair in pairs:
            said = []
            for turned in (False, True):
                stages(done)
                said.append(judging.answer(training.project_id, settings, pair, turned, client.ask))
                done += 1
            out.append((pair, said[0], said[1]))
        return out

    checked = compared(votes)  # first: its agreement with people is what the rest is worth
    made = judging.summary(settings, compared(asked), checked, len(own) - len(asked))
    return recorder.deliver(lambda: {"judging_id": judging.store(training.project_id, kept.id, made).id})
