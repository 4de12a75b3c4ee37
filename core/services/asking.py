"""Ask the models that the worker has loaded: answers that come piece by piece, and figures. Any question can be stopped.

The standard library's HTTP client and not `requests`: a stop has to work at any moment, also while the question still waits
in the server's queue, and for that the socket must be at hand. Closing it is what stops the model.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from core.schemas.errors import UserError
from core.schemas.jobs import Job
from core.schemas.predictor import Decoding

CONNECT_SECONDS = 10.0
MOST_BYTES = 16 * 2**20
SHOWN = 300  # characters of the server's own words in an error


@dataclass(frozen=True)
class Piece:
    """A piece of an answer. The last one has `ended` (`stop`, or `length` where the longest answer cut it), which rules of the
    filter changed the answer, and how many tokens at the beginning of the question the model had no room for."""

    text: str = ""
    ended: str = ""
    filtered: str = ""
    unread: int = 0


def gone() -> UserError:
    return UserError(
        "The model is not loaded any more.",
        "It was put away because nobody asked it for a while, or its process ended.",
        "Load it, where it is not being loaded again by itself. The conversation is kept.",
    )


def broken() -> UserError:
    return UserError(
        "The answer broke off.",
        "The process that held the model ended in the middle of it, or the connection to it was lost.",
        "Load the model again if it is gone, then press “Answer again”. What was written so far is kept.",
    )


class Question:
    """One question to the served models. `stop` may be called by another thread at any time; the question then ends quietly."""

    def __init__(self, job: Job) -> None:
        self._place = job.result or {}
        self._socket: socket.socket | None = None
        self.stopped = False

    def stop(self) -> None:
        """Close the connection, which ends the generation."""
        self.stopped = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def answer(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The reply as one JSON object. Raises UserError."""
        with self._sent(path, body) as reply:
            try:
                return dict(json.loads(reply.read(MOST_BYTES)))
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise broken() from error

    def stream(self, path: str, body: Mapping[str, Any]) -> Iterator[Piece]:
        """The answer piece by piece (server-sent events of the OpenAI protocol). Closing the iterator ends the generation.

        Raises UserError where the model is gone, refuses, or breaks off in the middle.
        """
        with self._sent(path, {**body, "stream": True}) as reply:
            try:
                whole = False
                while line := reply.readline(MOST_BYTES):
                    data = line.decode("utf-8", "replace").strip().removeprefix("data:").strip()
                    if not line.startswith(b"data:"):
                        continue
                    if data == "[DONE]":
                        whole = True
                        break
                    yield _piece(json.loads(data))
            except (OSError, http.client.HTTPException, ValueError) as error:
                if not self.stopped:
                    raise broken() from error
                return
            if not whole and not self.stopped:
                raise broken()

    @contextlib.contextmanager
    def _sent(self, path: str, body: Mapping[str, Any]) -> Iterator[http.client.HTTPResponse]:
        where = urlsplit(str(self._place.get("address") or ""))
        if not where.hostname:
            raise gone()
        connection = http.client.HTTPConnection(where.hostname, where.port, timeout=CONNECT_SECONDS)
        try:
            try:
                connection.connect()
                self._socket = connection.sock
                if self.stopped:
                    self.stop()
                # No limit to silence: a long answer may be held back until its end, and a server that dies closes the socket.
                connection.sock.settimeout(None)
                headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._place.get('key')}"}
                connection.request("POST", path, json.dumps(body).encode(), headers)
                reply = connection.getresponse()
            except (OSError, http.client.HTTPException) as error:
                raise gone() from error
            if reply.status != 200:
                raise _refused(reply.status, reply.read(1 << 16))
            yield reply
        finally:
            # A reply that was not read to its end holds the socket open: the server would go on writing.
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)
            connection.close()


def chat(question: Question, model: str, messages: Sequence[Mapping[str, str]], decoding: Decoding) -> Iterator[Piece]:
    """The next answer of a conversation."""
    return question.stream("/v1/chat/completions", {"messages": list(messages), **_settings(model, decoding)})


def text(question: Question, model: str, prompt: str, decoding: Decoding) -> Iterator[Piece]:
    """How a text goes on, or what it is turned into."""
    return question.stream("/v1/completions", {"prompt": prompt, **_settings(model, decoding)})


def classify(job: Job, texts: Sequence[str], models: Sequence[str]) -> dict[str, Any]:
    """`labels`, `thresholds`, and of each model (under its id) one list of probabilities a text."""
    return Question(job).answer("/classify", {"texts": list(texts), "models": list(models)})


def values(job: Job, texts: Sequence[str], models: Sequence[str]) -> dict[str, Any]:
    """Of each model, under its id, one number a text."""
    return Question(job).answer("/values", {"texts": list(texts), "models": list(models)})


def _settings(model: str, decoding: Decoding) -> dict[str, Any]:
    """The protocol has no repetition penalty; as in transformers' serving, its `frequency_penalty` is read as one, less 1."""
    return {
        "model": model,
        "temperature": decoding.temperature,
        "top_p": decoding.top_p,
        "max_tokens": decoding.max_new_tokens,
        "seed": decoding.seed,
        "frequency_penalty": round(decoding.repetition_penalty - 1.0, 6),
    }


def _piece(event: Any) -> Piece:
    if not isinstance(event, dict):
        raise ValueError("an event is an object")
    if event.get("error"):
        raise _refused(500, json.dumps(event).encode())
    ours = event.get("tunewell") or {}
    filtered, unread = str(ours.get("filtered") or ""), int(ours.get("left_out") or 0)
    choices = event.get("choices") or []
    if not choices:
        return Piece(filtered=filtered, unread=unread)
    choice = choices[0]
    said = (choice.get("delta") or {}).get("content") if "delta" in choice else choice.get("text")
    return Piece(str(said or ""), str(choice.get("finish_reason") or ""), filtered, unread)


def _refused(status: int, content: bytes) -> UserError:
    told = _told(content)
    if isinstance(told, UserError):
        return told
    if status in (401, 403):
        return UserError(
            "The model did not take the key.",
            "It was loaded anew by another page since this one was drawn.",
            "Reload this page, then ask again.",
        )
    if status == 404:
        return UserError(
            "That model is not there.",
            told or "The round may have been deleted.",
            "Choose another model, or put the models away and load them again.",
        )
    if status == 413:
        return UserError(
            "The text is too long.", told or "It is larger than a question may be.", "Ask with a shorter one."
        )
    if status in (400, 422):
        return UserError(
            "The model could not read the question.", told, "Change the text or the settings and ask again."
        )
    return UserError(
        "The model could not answer.", told or f"Status {status}.", "Ask again. If it stays, load it again."
    )


def _told(content: bytes) -> UserError | str:
    """What the server said: an error for people, or its own words."""
    try:
        found: Any = json.loads(content)
    except ValueError:
        return " ".join(content.decode("utf-8", "replace").split())[:SHOWN]
    found = found.get("error", found.get("detail", found)) if isinstance(found, dict) else found
    if isinstance(found, dict) and all(isinstance(found.get(part), str) for part in ("title", "cause", "fix")):
        return UserError.from_dict(found)
    return str(found.get("message", found) if isinstance(found, dict) else found)[:SHOWN]
