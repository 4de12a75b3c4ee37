"""Transformers' handlers of chats and completions, with our models behind them: what is asked is read strictly before, and
what was filtered is said in the reply."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator
from typing import Any

from fastapi.responses import JSONResponse
from transformers.cli.serving.chat_completion import ChatCompletionHandler
from transformers.cli.serving.completion import CompletionHandler

from core.schemas.serving import Question

from .serving import Reader, ServedModels, Voice
from .serving_engine import Engine, OneEngine, Wanted

FIELD = "tunewell"
DONE = "data: [DONE]\n\n"


class _Body(dict[str, Any]):
    """A request as the handlers of transformers read it, with what it was found to mean."""

    def __init__(self, question: Question, wanted: Wanted, loaded: tuple[Voice, Reader]) -> None:
        asked = question.asked
        said: dict[str, Any] = (
            {"prompt": asked}
            if isinstance(asked, str)
            else {"messages": [{"role": m.role, "content": m.content} for m in asked]}
        )
        super().__init__(model=question.model, stream=question.stream, **said)
        self.wanted, self.loaded = wanted, loaded


class _Served:
    """What both handlers do otherwise than those of transformers."""

    chat: bool
    model_manager: ServedModels
    generation_state: OneEngine

    async def handle_request(self, body: dict[str, Any], request_id: str) -> Any:
        question = Question.of(body, chat=self.chat)
        offered = self.model_manager.find_writer(question.model)
        loaded = await self._engine.do(request_id, "", lambda: self.model_manager.loaded(offered))
        wanted = Wanted(question.decoding(secrets.randbelow(2**31)), question.stop, offered)
        return await super().handle_request(_Body(question, wanted, loaded), request_id)  # type: ignore[misc]

    @property
    def _engine(self) -> Engine:
        return self.generation_state.engine

    def _resolve_model(self, body: _Body) -> tuple[str, Voice, Reader]:
        return body["model"], *body.loaded

    def _build_generation_config(self, body: _Body, _defaults: Any, use_cb: bool = False) -> Wanted:
        return body.wanted

    def _streaming(self, request_id: str, *args: Any, **options: Any) -> Any:
        reply = super()._streaming(request_id, *args, **options)  # type: ignore[misc]
        reply.body_iterator = self._to_the_end(request_id, reply.body_iterator)
        return reply

    async def _to_the_end(self, request_id: str, chunks: AsyncIterator[str]) -> AsyncIterator[str]:
        """The chunks, an error in OpenAI's shape, and the line with which that protocol ends a stream."""
        async for chunk in chunks:
            if chunk.startswith('data: {"error"'):
                outcome = self._engine.outcomes[request_id]
                yield f"data: {json.dumps(outcome.error)}\n\n"
                return
            yield chunk
        yield DONE

    async def _non_streaming(self, request_id: str, *args: Any, **options: Any) -> JSONResponse:
        reply = await super()._non_streaming(request_id, *args, **options)  # type: ignore[misc]
        outcome = self._engine.outcomes[request_id]
        body = json.loads(reply.body)
        body["choices"][0]["finish_reason"] = _reason(outcome.finished)
        if outcome.extra:
            body[FIELD] = outcome.extra
        return JSONResponse(body)

    def chunk_to_sse(self, chunk: Any) -> str:
        """The last chunk says why the answer ended and what was done to it."""
        outcome = self._engine.outcomes.get(chunk.id)
        if outcome is not None and chunk.choices[0].finish_reason is not None:
            chunk.choices[0].finish_reason = _reason(outcome.finished)
            if outcome.extra:
                setattr(chunk, FIELD, outcome.extra)
        return str(super().chunk_to_sse(chunk))  # type: ignore[misc]


class Chats(_Served, ChatCompletionHandler):
    chat = True


class Completions(_Served, CompletionHandler):
    chat = False


def _reason(finished: bool) -> str:
    return "stop" if finished else "length"
