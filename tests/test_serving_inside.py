"""The server of models in this very process: models that judge, a client that goes away, what stands before the key."""

from __future__ import annotations

import http.client
import http.server
import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import served
import small_pairs
import torch
from databases import migrated
from openai import OpenAI
from waiting import until

from core.schemas.errors import UserError
from core.schemas.plan import PreparationPlan
from core.schemas.predictor import Decoding, Generation
from core.services import offers, snippets
from core.store.engine import engine
from core.training import predictors
from core.training.serving import Offered
from core.training.serving_app import Serving
from core.training.serving_engine import Left
from core.worker.gate import LARGEST_REQUEST
from core.worker.model_server import ModelServer

pytestmark = pytest.mark.usefixtures("one_thread")
KEY = "a key"


class Place:
    """A served offer and a plain connection to it."""

    def __init__(self, offer: dict[str, Offered], **options: Any) -> None:
        self.phases: list[str] = []
        self.serving = Serving(lambda: offer, self.phases.append, **options)
        self.server = ModelServer(self.serving.app, self.serving, KEY)

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)

    def ask(self, path: str, body: Any = None, *, key: str = KEY, method: str = "POST") -> tuple[int, Any]:
        connection = self.connection()
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(method, path, sent, {"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())

    def close(self) -> None:
        self.serving.close()
        self.server.stop()


@pytest.fixture(scope="module")
def judges(tmp_path_factory: pytest.TempPathFactory, small_model: Path) -> Iterator[tuple[Place, Any]]:
    """A trained classifier beside its base model, served; and the classifier as it was evaluated."""
    folder = tmp_path_factory.mktemp("judges")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEWELL_STORAGE", str(folder))
        patch.setenv("TUNEWELL_DATABASE_URL", f"sqlite:///{folder / 'tunewell.db'}")
        migrated()
        run = served.trained_classifier(small_model)
        found = offers.of(run)

        def opened(o: offers.Offer) -> Callable[[Any], Any]:
            if o.base:
                return lambda tick: predictors.base(o.folder, o.family, o.plan, o.labels, o.label_prompt, tick)
            return lambda tick: predictors.tuned(o.folder, o.plan, tick)

        place = Place({n: Offered(o.weights, o.title, o.family, 0.0, opened(o)) for n, o in found.items()})
        yield place, predictors.tuned(found["tuned"].folder, found["tuned"].plan)
        place.close()
        engine().dispose()


def test_a_classifier_and_its_base_model_give_probabilities_of_the_same_labels(judges: tuple[Place, Any]) -> None:
    place, predictor = judges
    texts = ["the parcel has not arrived", "thank you, the lamp is nice"]
    status, said = place.ask("/classify", {"texts": texts})
    assert status == 200 and said["labels"] == list(predictor.labels)
    assert said["tuned"] == predictor.classify(texts)
    assert [round(sum(row), 6) for row in said["base"]] == [1.0, 1.0] and said["base"] != said["tuned"]
    status, one = place.ask("/classify", {"texts": texts[:1], "models": ["round-1"]})
    assert one["round-1"] == predictor.classify(texts[:1]) and "tuned" not in one
    for path, body, cause in (
        ("/values", {"texts": texts}, "is asked at /classify"),
        ("/classify", {"texts": []}, "texts:"),
        ("/classify", {"text": "a"}, "texts:"),
        ("/classify", {"texts": texts, "models": ["round-9"]}, "no model 'round-9'"),
        ("/v1/chat/completions", {"model": "tuned", "messages": [{"role": "user", "content": "a"}]}, "ask it at /classify"),
    ):  # fmt: skip
        status, refused = place.ask(path, body)
        assert status in (400, 404) and cause in refused["error"]["message"], refused


def test_the_examples_for_a_classifier_are_answered(judges: tuple[Place, Any], tmp_path: Path) -> None:
    place, predictor = judges
    answers = served.answers_of(snippets.of(snippets.CLASSIFY, place.server.address, "tuned"), KEY, tmp_path)
    assert json.loads(answers["curl"])["tuned"] == predictor.classify(snippets.CLASSIFY.body["texts"])
    assert all(label in answer for answer in answers.values() for label in predictor.labels)


def test_the_examples_for_several_labels_say_which_are_given(tmp_path: Path) -> None:
    labels = ["order", "urgent", "refund"]
    reply = {
        "labels": labels,
        "thresholds": [0.5, 0.2, 0.5],
        "thresholds_of": {"tuned": [0.5, 0.2, 0.5]},
        "tuned": [[0.9, 0.3, 0.1], [0.1, 0.1, 0.1]],
    }

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            said = json.dumps(reply).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        answers = served.answers_of(snippets.of(snippets.LABELS, address, "tuned"), KEY, tmp_path)
        server.shutdown()
    assert "Your text ['order', 'urgent']" in answers["Python"] and "Another text []" in answers["Python"]
    if "JavaScript" in answers:  # this machine has node
        assert re.sub(r"\s", "", answers["JavaScript"]) == "[['order','urgent'],[]]"


def with_adapter(base: Path, folder: Path, tick: Any = None) -> Any:
    """A language model with an adapter that does something, as a LoRA round leaves it."""
    from peft import LoraConfig, get_peft_model

    predictor: Any = predictors.base(str(base), "causal-lm", PreparationPlan())
    with torch.random.fork_rng():
        torch.manual_seed(3)
        settings = LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False, task_type="CAUSAL_LM")
        predictor.model = get_peft_model(predictor.model, settings).eval()
    predictor.tick = tick or predictor.tick
    return predictor


def pair(_base: Path, folder: Path, tick: Any = None) -> Any:
    """An encoder-decoder."""
    made = small_pairs.build(folder)
    return predictors.base(str(made), "seq2seq", PreparationPlan(system_prompt="turn:"), tick=tick or (lambda _: None))


@pytest.mark.parametrize(("family", "make"), [("causal-lm", with_adapter), ("seq2seq", pair)])
def test_adapters_and_encoder_decoders_are_served_as_their_predictor_writes(
    small_model: Path, tmp_path: Path, family: str, make: Callable[..., Any]
) -> None:
    place = Place({"tuned": Offered("w", "round 1", family, 0.0, lambda tick: make(small_model, tmp_path, tick))})
    try:
        client = OpenAI(base_url=f"{place.server.address}/v1", api_key=KEY, max_retries=0)
        wanted = make(small_model, tmp_path).generate(
            ["the parcel is"], Decoding(max_new_tokens=12, temperature=1, seed=3)
        )[0]
        asked: Any = {"model": "tuned", "prompt": "the parcel is", "max_tokens": 12, "temperature": 1, "seed": 3}
        said = client.completions.create(**asked)
        assert said.choices[0].text == wanted.text and wanted.tokens == said.usage.completion_tokens  # type: ignore[union-attr]
        assert said.choices[0].finish_reason == ("stop" if wanted.finished else "length")
        stream = list(client.completions.create(**asked, stream=True))
        assert "".join(c.choices[0].text for c in stream) == wanted.text != "" and len(stream) > 3
    finally:
        place.close()


# -- a model that writes for ever --------------------------------------------------------------------------------------


class Endless:
    """Writes until it is told to stop; `begun` and `left` say how it went."""

    def __init__(self, tick: Callable[[int], None]) -> None:
        self.tick = tick
        self.begun, self.left = threading.Event(), threading.Event()
        self.pace = threading.Event()  # never set: a token takes a while
        self.codec = SimpleNamespace(prompt_ids=lambda _: [1], stop_ids=lambda _: [0])
        self.model = SimpleNamespace(generation_config=SimpleNamespace(eos_token_id=0))
        self.tokenizer = SimpleNamespace(_tokenizer=None)

    def generate(self, prompts: Sequence[Any], decoding: Decoding, streamer: Any = None, **_: Any) -> list[Generation]:
        if prompts == ["short"]:
            return [Generation(text="said", tokens=1, finished=True)]
        if prompts == ["bad"]:
            raise UserError("It broke.", "A cause.", "A fix.")
        self.begun.set()
        try:
            while True:
                if streamer is not None:
                    streamer._enqueue("word ")
                self.pace.wait(0.002)
                self.tick(0)
        except Left:
            self.left.set()
            raise


@pytest.fixture
def endless() -> Iterator[tuple[Place, list[Endless]]]:
    made: list[Endless] = []

    def opened(tick: Any) -> Any:
        made.append(Endless(tick))
        return made[-1]

    names = ("tuned", "round-1", "round-2")
    place = Place({name: Offered(name, name, "causal-lm", 0.0, opened) for name in names})
    yield place, made
    place.close()


@pytest.mark.parametrize("stream", [True, False])
def test_closing_the_connection_ends_the_answer_and_the_next_question_is_answered(
    endless: tuple[Place, list[Endless]], stream: bool
) -> None:
    place, made = endless
    place.serving.load("tuned")
    connection = place.connection()
    body = json.dumps({"model": "tuned", "prompt": "long", "stream": stream})
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    connection.request("POST", "/v1/completions", body, headers)
    if stream:
        assert connection.getresponse().read(40).startswith(b"data: ")
    assert made[0].begun.wait(30)
    waiting = place.connection()  # one more that never gets its turn
    waiting.request("POST", "/v1/completions", body, headers)
    waiting.close()
    connection.close()
    assert made[0].left.wait(30)
    made[0].begun.clear()
    status, said = place.ask("/v1/completions", {"model": "tuned", "prompt": "short"})
    assert status == 200 and said["choices"][0]["text"] == "said"
    assert not made[0].begun.is_set()
    until(lambda: not place.serving.engine.outcomes, "nothing is kept of answers that were given", 30)


def test_a_failure_in_the_middle_of_a_stream_is_told_with_its_cure(endless: tuple[Place, list[Endless]]) -> None:
    place, _ = endless
    client = OpenAI(base_url=f"{place.server.address}/v1", api_key=KEY, max_retries=0)
    with pytest.raises(Exception, match=r"It broke\. A cause\. A fix\."):
        list(client.completions.create(model="tuned", prompt="bad", stream=True))
    status, said = place.ask("/v1/completions", {"model": "tuned", "prompt": "bad"})
    assert status == 503 and said["error"]["fix"] == "A fix."


def test_two_models_stay_in_memory_and_the_server_says_what_it_does(endless: tuple[Place, list[Endless]]) -> None:
    place, made = endless
    for name in ("tuned", "round-1", "tuned", "round-2", "tuned"):
        assert place.ask("/v1/completions", {"model": name, "prompt": "short"})[0] == 200
    assert len(made) == 3 and sorted(place.serving.models.loaded_models) == ["round-2", "tuned"]
    assert place.phases[:2] == ["Loading tuned", "Ready. Idle since " + place.phases[1][-5:]]
    assert "Answering with tuned" in place.phases


def test_idle_models_are_put_away_and_come_back_with_the_next_question() -> None:
    place = Place({"tuned": Offered("tuned", "round 1", "causal-lm", 0.0, Endless)}, idle_seconds=0.05)
    try:
        place.serving.load("tuned")
        until(lambda: not place.serving.holds_models, "the model is put away", 30)
        assert place.phases[-1].startswith("Ready. No model is in memory")
        assert place.ask("/v1/completions", {"model": "tuned", "prompt": "short"})[0] == 200
    finally:
        place.close()


def test_only_what_is_offered_can_be_reached_and_only_with_the_key(endless: tuple[Place, list[Endless]]) -> None:
    place, made = endless
    theirs = ("/v1/responses", "/v1/audio/transcriptions", "/v1/systemone", "/load_model", "/reset")
    for path in (*theirs, "/docs", "/openapi.json"):
        for method in ("GET", "POST"):
            status, said = place.ask(path, {"model": "/etc"}, method=method)
            assert status == 404 and said["error"]["type"] == "invalid_request_error", path
    offered = {
        "/v1/chat/completions", "/v1/completions", "/v1/models", "/v1/models/{name}", "/classify", "/values", "/health",
    }  # fmt: skip
    assert {getattr(route, "path", None) for route in place.serving.app.router.routes} == offered
    for path in offered:
        assert place.ask(path, {}, key="guessed")[0] == 401
        assert place.ask(path, {}, key="")[0] == 401
    assert place.ask("/v1/completions", b"{not json")[0] == 400
    assert place.ask("/v1/completions", b"x" * (LARGEST_REQUEST + 1))[0] == 413
    assert place.ask("/health", method="GET") == (200, {"status": "ok"})
    connection = place.connection()
    connection.request("OPTIONS", "/v1/models", headers={"Origin": "http://evil.example"})
    reply = connection.getresponse()
    assert reply.status == 401 and not [h for h, _ in reply.getheaders() if h.lower().startswith("access-control")]
    assert not made


def test_a_port_that_is_taken_is_named(endless: tuple[Place, list[Endless]]) -> None:
    place, _ = endless
    with pytest.raises(UserError, match=f"The port {place.server.port} cannot be used"):
        ModelServer(place.serving.app, place.serving, KEY, place.server.port)
