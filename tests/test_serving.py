"""A served model, asked by the official `openai` client over a real connection, in the worker's own child process."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openai
import psutil
import pytest
import served
from databases import migrated
from job_processes import job_processes
from openai import OpenAI
from streamlit.testing.v1 import AppTest
from waiting import until

from core.schemas.chat import ChatSettings
from core.schemas.examples import Message
from core.schemas.jobs import Job, JobKind
from core.schemas.output_filter import FilterRule, FilterRules
from core.schemas.predictor import Decoding
from core.services import answering, conversations, output_filters, playground, runs, snippets
from core.store import jobs, owners
from core.store.engine import engine
from core.store.files import job_log
from core.store.tables import Run
from core.worker.handlers import serve_job

QUESTION = "the parcel with the lamp has not arrived today 3"
ASKED: Any = [{"role": "user", "content": QUESTION}]
LONG = 240.0


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, small_model: Path) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("served")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEWELL_STORAGE", str(folder))
        patch.setenv("TUNEWELL_DATABASE_URL", f"sqlite:///{folder / 'tunewell.db'}")
        migrated()
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


def test_a_completion_goes_on_as_the_predictors_do_tuned_and_base(run: Run, client: OpenAI) -> None:
    start, decoding = "the parcel with", Decoding(max_new_tokens=16, repetition_penalty=1.5)
    for model in ("tuned", "base"):
        wanted = of_the_predictor(run, start, decoding, base=model == "base")
        asked: Any = {"model": model, "prompt": start, "max_tokens": 16, "temperature": 0, "frequency_penalty": 0.5}
        assert client.completions.create(**asked).choices[0].text == wanted
        stream = client.completions.create(**asked, stream=True)
        assert "".join(chunk.choices[0].text for chunk in stream) == wanted


def test_the_person_may_bring_another_system_prompt_and_a_text_to_stop_at(run: Run, client: OpenAI) -> None:
    turns = [Message(role="system", content="Be short."), Message(role="user", content=QUESTION)]
    wanted = of_the_predictor(run, tuple(turns), Decoding(max_new_tokens=24))
    messages: Any = [{"role": "developer", "content": "Be short."}, *ASKED]
    asked: Any = {"model": "tuned", "messages": messages, "max_tokens": 24}
    assert client.chat.completions.create(**asked).choices[0].message.content == wanted
    stop = wanted[len(wanted) // 2 : len(wanted) // 2 + 3]
    cut = client.chat.completions.create(**asked, stop=stop).choices[0]
    assert cut.message.content == wanted[: wanted.find(stop)] and cut.finish_reason == "stop"
    stream = list(client.chat.completions.create(**asked, stop=[stop], stream=True))
    assert "".join(c.choices[0].delta.content or "" for c in stream) == cut.message.content


def test_models_are_listed_and_what_cannot_be_answered_is_refused_with_the_cause(
    run: Run, client: OpenAI, job: Job
) -> None:
    assert job.result is not None
    listed = [model.id for model in client.models.list()]
    assert listed == job.result["models"] == ["tuned", "base", "round-1"]
    assert client.models.retrieve("round-1").owned_by == "tunewell"
    with pytest.raises(openai.NotFoundError, match="There are: tuned, base, round-1") as missing:
        client.chat.completions.create(model="round-9", messages=ASKED)
    assert missing.value.body["code"] == "model_not_found"  # type: ignore[index]
    for wrong, param in (
        ({"temperature": 9}, "temperature"),
        ({"n": 2}, "n"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}, "messages"),
    ):
        asked: Any = {"model": "tuned", "messages": ASKED, **wrong}
        with pytest.raises(openai.BadRequestError) as refused:
            client.chat.completions.create(**asked)
        assert refused.value.body["param"] == param  # type: ignore[index]
    with pytest.raises(openai.AuthenticationError, match="key is missing or wrong"):
        client.with_options(api_key="guessed").models.list()
    with pytest.raises(openai.BadRequestError, match="writes text"):
        client.with_options(base_url=job.result["address"]).post("/classify", cast_to=object, body={"texts": ["a"]})


def test_rules_of_the_filter_count_at_once_and_nothing_of_a_masked_word_is_streamed(run: Run, client: OpenAI) -> None:
    asked: Any = {"model": "tuned", "messages": ASKED, "max_tokens": 24}
    free = client.chat.completions.create(**asked)
    said = free.choices[0].message.content or ""
    word = max((w.strip(".!?,") for w in said.split()), key=len)
    assert len(word) > 2 and "tunewell" not in (free.model_extra or {})
    output_filters.save(run, FilterRules(rules=(FilterRule(name="my word", entries=(word,)),)))
    try:
        told = {"filtered": "Parts of this answer were filtered by the rule “my word”.", "rules": ["my word"]}
        whole = client.chat.completions.create(**asked)
        guarded = whole.choices[0].message.content or ""
        assert word not in guarded and "•••" in guarded and (whole.model_extra or {})["tunewell"] == told
        stream = list(client.chat.completions.create(**asked, stream=True))
        assert "".join(c.choices[0].delta.content or "" for c in stream) == guarded
        assert (stream[-1].model_extra or {})["tunewell"] == told
    finally:
        output_filters.save(run, FilterRules())
    assert client.chat.completions.create(**asked).choices[0].message.content == said


def test_the_examples_on_the_screen_are_answered(run: Run, job: Job, tmp_path: Path) -> None:
    assert job.result is not None
    for way in (snippets.CHAT, snippets.WRITE):
        answers = served.answers_of(snippets.of(way, job.result["address"], "tuned"), job.result["key"], tmp_path)
        assert all(answers.values()), answers
        if "JavaScript" in answers:
            assert answers["JavaScript"].strip() == answers["Python"].strip()
        choice = json.loads(answers["curl"])["choices"][0]
        said = choice["message"]["content"] if way is snippets.CHAT else choice["text"]
        assert said == answers["Python"].removesuffix("\n")


def test_the_playground_gets_the_same_answers_piece_by_piece_and_keeps_them(run: Run, job: Job) -> None:
    settings = ChatSettings(decoding=Decoding(max_new_tokens=24))
    talk = conversations.start(run, ["tuned", "base"], settings)
    for asked in (QUESTION, "and the kettle"):
        place = conversations.ask(talk.id, asked, settings)
        answering.begin(talk.id, place, job).thread.join(LONG)
    first, second = (turn.answers for turn in conversations.turns(conversations.get(talk.id)))
    before = (Message(role="user", content=QUESTION),)
    for model in ("tuned", "base"):
        decoding, base = settings.decoding, model == "base"
        assert first[model].text == of_the_predictor(run, before, decoding, base)
        told = (
            *before,
            Message(role="assistant", content=first[model].text),
            Message(role="user", content="and the kettle"),
        )
        assert second[model].text == of_the_predictor(run, told, decoding, base) and second[model].state == "done"


def test_the_screen_shows_where_it_is_served_and_the_key_only_when_asked_for(run: Run, job: Job) -> None:
    def script(run_id: str) -> None:
        from core.services import runs
        from core.ui.serving_panel import serving_panel

        serving_panel(runs.get(run_id))

    app = AppTest.from_function(script, kwargs={"run_id": run.id}, default_timeout=60).run()
    assert not app.exception and job.result is not None
    shown = [block.value for block in app.code]
    assert shown[0] == f"{job.result['address']}/v1" and job.result["key"] not in "".join(shown)
    assert [s.code.strip() for s in snippets.of(snippets.CHAT, job.result["address"], "tuned")] == shown[2:]
    until(lambda: "Ready. Idle since" in app.run().success[0].value, "what it is doing", 30)
    assert "`round-1`" in app.caption[0].value
    app.toggle[0].set_value(True).run()
    assert app.code[1].value == job.result["key"]


def test_no_question_and_no_key_is_in_a_log(run: Run, job: Job) -> None:
    written = job_log(job.id).read_text("utf-8")
    assert job.result is not None
    assert job.result["key"] not in written and "parcel" not in written and "lamp" not in written


def test_a_killed_worker_leaves_no_process_and_no_port_and_the_next_one_takes_the_same_address(
    run: Run, worker: subprocess.Popen[bytes], job: Job
) -> None:
    (child,) = job_processes(worker.pid)
    worker.kill()
    worker.wait(30)
    port = int((job.result or {})["address"].rsplit(":", 1)[1])
    until(lambda: is_free(port), "its port is free", 60)
    until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, "the end of its process", 60)
    [(job_id, owner, fence, _)] = jobs.running()
    assert owner is not None and not owners.is_alive(owner)
    jobs.reclaim(job_id, fence, error=None)  # as the next worker does
    claimed = jobs.claim([JobKind.SERVE], "me")
    assert claimed is not None and claimed[0].id == job.id

    async def app(*_: Any) -> None: ...

    again = serve_job._server(claimed[0], SimpleNamespace(app=app))
    assert again.address == (job.result or {})["address"]
    again.stop()


def is_free(port: int) -> bool:
    with socket.socket() as ours:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            ours.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
