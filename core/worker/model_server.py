"""A small HTTP server on loopback that answers with one run's base and tuned model, for the playground.

Every request carries the job's key. One answer at a time: the models share the processor.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from core.data.output_filter import OutputFilter
from core.schemas.examples import Message
from core.schemas.predictor import Decoding, Predictor

LARGEST_REQUEST = 2 * 2**20


def _unguarded() -> OutputFilter | None:
    return None


class ModelServer:
    """Serves until `stop`. `models` holds `tuned` and, where there is one, `base`. `guard` is asked for the filter at each
    answer, so that new rules count at once; what it held back never leaves this process."""

    def __init__(self, models: Mapping[str, Predictor], guard: Callable[[], OutputFilter | None] = _unguarded) -> None:
        self.models, self.guard = models, guard
        self.key = secrets.token_urlsafe(24)
        self.last_used = time.monotonic()
        self._one_at_a_time = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, name="model server", daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def classify(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """`texts` to class probabilities of each model."""
        texts = [str(t) for t in question["texts"]]
        tuned = self.models["tuned"]
        out: dict[str, Any] = {"labels": list(tuned.labels), "thresholds": list(tuned.thresholds)}
        for name, model in self._asked(question):
            out[name] = model.classify(texts)
        return out

    def values(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """`texts` to the number that each model gives."""
        texts = [str(t) for t in question["texts"]]
        return {name: model.values(texts) for name, model in self._asked(question)}

    def generate(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """`messages` or `text` to each model's answer, with `filtered`: which rules changed it, in a sentence (or empty)."""
        decoding = Decoding.model_validate(question.get("decoding") or {})
        prompt: Any = question.get("text")
        if prompt is None:
            prompt = tuple(Message.model_validate(m) for m in question["messages"])
        guard = self.guard()
        out = {}
        for name, model in self._asked(question):
            answer = model.generate([prompt], decoding)[0].model_dump()
            if guard is not None:
                done = guard.apply(answer["text"])
                answer |= {"text": done.text, "filtered": done.sentence(), "rules": list(done.rules)}
            out[name] = answer
        return out

    def _asked(self, question: Mapping[str, Any]) -> list[tuple[str, Predictor]]:
        wanted = question.get("models") or list(self.models)
        return [(name, self.models[name]) for name in wanted if name in self.models]

    def answer(self, path: str, question: Mapping[str, Any]) -> dict[str, Any]:
        routes: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "/classify": self.classify,
            "/values": self.values,
            "/generate": self.generate,
        }
        self.last_used = time.monotonic()
        with self._one_at_a_time:
            try:
                return routes[path](question)
            finally:
                self.last_used = time.monotonic()


def _handler(server: ModelServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given = self.headers.get("Authorization", "")
            if not secrets.compare_digest(given.encode(), f"Bearer {server.key}".encode()):
                return self._reply(401, {"error": "the key is missing or wrong"})
            length = int(self.headers.get("Content-Length") or 0)
            if length > LARGEST_REQUEST:
                return self._reply(413, {"error": "the request is too large"})
            try:
                self._reply(200, server.answer(self.path, json.loads(self.rfile.read(length))))
            except KeyError as error:
                self._reply(404, {"error": f"not known: {error}"})
            except (ValueError, TypeError) as error:
                self._reply(400, {"error": str(error)})

        def _reply(self, status: int, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Questions are private: nothing of them goes to the log."""

    return Handler
