"""A served model, asked by the official `openai` client over a real connection, in the worker's own child process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import served
from openai import OpenAI
from waiting import until

from core.schemas.examples import Message
from core.schemas.jobs import Job
from core.schemas.predictor import Decoding
from core.services import playground, runs
from core.store.engine import engine
from core.store.files import job_log
from core.store.migrate import migrate
from core.store.tables import Run

QUESTION = "the parcel with the lamp has not arrived today 3"
ASKED: Any = [{"role": "user", "content": QUESTION}]
LONG = 240.0


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, small_model: Path) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("served")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEWELL_STORAGE", str(folder))
        patch.setenv("TUNEWELL_DATABASE_URL", f"sqlite:///{folder / 'tunewell.db'}")
        migrate()
        yield served.trained_chat(small_model)
        engine().dispose()


@pytest.fixture(scope="module")
def worker(run: Run) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "core", "worker"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1", "TUNEWELL_THREADS": "1", "TUNEWELL_PARENT_PID": str(os.getpid())},
    )
    yield process
    process.terminate()
    process.wait(90)


@pytest.fixture(scope="module")
def job(run: Run, worker: subprocess.Popen[bytes]) -> Job:
    """The served model, ready."""
    playground.start(run, lasting=True)

    def ready() -> Job | None:
        found = playground.running(run)
        return found if found and (found.result or {}).get("address") else None

    return until(ready, "the server", LONG)


@pytest.fixture
def client(job: Job) -> OpenAI:
    assert job.result is not None
    return OpenAI(base_url=f"{job.result['address']}/v1", api_key=job.result["key"], max_retries=0, timeout=LONG)


def of_the_predictor(run: Run, prompt: Any, decoding: Decoding, base: bool = False) -> str:
    """What our own predictor says, in this process."""
    from core.training import predictors

    given = runs.inputs(run)
    found = (
        predictors.base(given.base_folder, given.family, given.plan)
        if base
        else predictors.tuned(given.folder, given.plan)
    )
    assert found is not None
    return found.generate([prompt], decoding)[0].text


@pytest.mark.parametrize("temperature", [0.0, 0.8])
def test_a_chat_answers_as_the_evaluated_model_does(run: Run, client: OpenAI, temperature: float) -> None:
    decoding = Decoding(max_new_tokens=24, temperature=temperature, top_p=0.95, seed=5)
    wanted = of_the_predictor(run, (Message(role="user", content=QUESTION),), decoding)
    for model in ("tuned", "round-1"):
        said = client.chat.completions.create(
            model=model, messages=ASKED, max_tokens=24, temperature=temperature, top_p=0.95, seed=5
        )
        assert said.choices[0].message.content == wanted and said.model == model
    stream = list(
        client.chat.completions.create(
            model="tuned", messages=ASKED, max_tokens=24, temperature=temperature, top_p=0.95, seed=5, stream=True
        )
    )
    parts = [chunk.choices[0].delta.content or "" for chunk in stream]
    assert "".join(parts) == wanted and sum(map(bool, parts)) > 3
    assert stream[-1].choices[0].finish_reason == said.choices[0].finish_reason
    assert stream[-1].usage == said.usage and said.usage is not None and said.usage.completion_tokens > 3


def test_debug(run: Run, client: OpenAI, job: Job) -> None:
    print(client.models.list())
    print(job_log(job.id).read_text()[-3000:])
