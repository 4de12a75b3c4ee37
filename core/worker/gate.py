"""What stands before a served model: the key, the largest request, and an end of the work when the client is gone."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any, Protocol

from core.schemas.serving import error_body

log = logging.getLogger(__name__)
LARGEST_REQUEST = 2 * 2**20  # bytes
MOST_WAITING = 32  # requests at a time: one is answered, the others wait for their turn
REQUEST_ID = b"x-request-id"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Answers(Protocol):
    """Learns which requests somebody waits for."""

    def enter(self, request_id: str) -> None: ...

    def leave(self, request_id: str) -> None: ...


class Gate:
    """An ASGI application around another one. The request's number is ours alone: a client cannot end another's answer."""

    def __init__(self, app: App, key: str, answers: Answers) -> None:
        self.app, self.answers = app, answers
        self._expected = f"Bearer {key}".encode()
        self._inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        headers = dict(scope["headers"])
        if not secrets.compare_digest(headers.get(b"authorization", b""), self._expected):
            return await _refuse(send, 401, "The key is missing or wrong. Send it as: Authorization: Bearer KEY.")
        if self._inside >= MOST_WAITING:
            return await _refuse(send, 429, "Too many questions are waiting. Ask again in a moment.")
        self._inside += 1
        try:
            await self._enter(scope, receive, send)
        finally:
            self._inside -= 1

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _read(receive)
        if body is None:
            return
        if len(body) > LARGEST_REQUEST:
            return await _refuse(send, 413, f"The request is larger than {LARGEST_REQUEST // 2**20} MB.")
        request_id = f"tunewell-{secrets.token_hex(12)}"
        kept = [(name, value) for name, value in scope["headers"] if name not in (REQUEST_ID, b"authorization")]
        inner = {**scope, "headers": [*kept, (REQUEST_ID, request_id.encode())]}
        self.answers.enter(request_id)
        gone = asyncio.Event()
        given = False

        async def again() -> Scope:
            nonlocal given
            if not given:
                given = True
                return {"type": "http.request", "body": body, "more_body": False}
            await gone.wait()
            return {"type": "http.disconnect"}

        work = asyncio.ensure_future(self.app(inner, again, send))
        watch = asyncio.ensure_future(_until_gone(receive))
        try:
            await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                self.answers.leave(request_id)
                gone.set()
                work.cancel()
            with suppress(asyncio.CancelledError):
                await work
        except Exception as error:  # it has been answered; uvicorn would write its message, which may hold the question
            frames = "".join(traceback.format_tb(error.__traceback__))
            log.error("a request ended in %s\n%s", type(error).__name__, frames)
        finally:
            self.answers.leave(request_id)
            for task in (work, watch):
                task.cancel()


async def _read(receive: Receive) -> bytes | None:
    """The body, at most a little more than the largest; None where the client went away."""
    body = b""
    while len(body) <= LARGEST_REQUEST:
        part = await receive()
        if part["type"] != "http.request":
            return None
        body += part.get("body", b"")
        if not part.get("more_body"):
            break
    return body


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _refuse(send: Send, status: int, message: str) -> None:
    body = json.dumps(error_body(message, status)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status in (401, 413):
        headers.append((b"connection", b"close"))  # what is left of the request is not read
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
