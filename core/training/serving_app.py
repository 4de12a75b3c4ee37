"""The application that serves a project's models: transformers' server with those of its routes that are offered, and two
more for models that judge a text instead of writing one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from transformers.cli.serving.server import build_server

from core.schemas.errors import UserError
from core.schemas.families import FAMILIES
from core.schemas.serving import NotAsked, Texts, error_body

from .serving import IDLE_SECONDS, Offer, ServedModels
from .serving_engine import Engine, Left, OneEngine, described, status_of
from .serving_handlers import Chats, Completions

ROUTES = frozenset(("/v1/chat/completions", "/v1/completions", "/v1/models", "/health"))
"""Of transformers' server. Its others load anything by name, forget models, or need models that we do not make."""
GONE = 499  # of a client that closed the connection; nobody reads it


class Serving:
    """The application (`app`) and what its owner does with it."""

    def __init__(
        self, offer: Callable[[], Offer], say: Callable[[str], None], idle_seconds: float = IDLE_SECONDS
    ) -> None:
        self.engine = Engine(say)
        self.models = self.engine.models = ServedModels(offer, say, self.engine.tick, idle_seconds)
        state = OneEngine(self.engine)
        self.app: FastAPI = build_server(
            self.models,
            Chats(self.models, state),
            Completions(self.models, state),
            response_handler=None,
            transcription_handler=None,
            systemone_handler=None,
            generation_state=state,
        )
        self.app.router.routes[:] = [r for r in self.app.router.routes if getattr(r, "path", "") in ROUTES]
        self._add_ours()

    # -- for the owner -------------------------------------------------------------------------------------------------

    def enter(self, request_id: str) -> None:
        self.engine.enter(request_id)

    def leave(self, request_id: str) -> None:
        self.engine.leave(request_id)

    def load(self, name: str) -> None:
        """Load a model before anybody asks. Raises UserError where its files are damaged."""

        def work() -> Any:
            return self.models.loaded(self.models.find(name))

        self.enter("load")
        try:
            _, error = self.engine.submit(self.engine._carefully, "load", "", work).result()
        finally:
            self.leave("load")
        if error is not None:
            raise error

    @property
    def holds_models(self) -> bool:
        return bool(self.models.loaded_models) or self.engine.busy

    def close(self) -> None:
        """End what is being written, and forget the models."""
        self.engine.close()
        self.models.shutdown()

    # -- our routes ----------------------------------------------------------------------------------------------------

    def _add_ours(self) -> None:
        app = self.app

        @app.get("/v1/models/{name}")
        def model(name: str) -> dict[str, Any]:
            self.models.find(name)
            return next(m for m in self.models.get_gen_models() if m["id"] == name)

        @app.post("/classify")
        async def classify(request: Request, body: dict[str, Any]) -> dict[str, Any]:
            """`texts` to class probabilities of each model, in the order of `labels`."""
            return await self._judged(request, body, self._classified)

        @app.post("/values")
        async def values(request: Request, body: dict[str, Any]) -> dict[str, Any]:
            """`texts` to the number that each model gives."""
            return await self._judged(request, body, self._numbers)

        async def failed(_request: Request, error: Exception) -> JSONResponse:
            if isinstance(error, Left):
                return JSONResponse(error_body("The client is gone.", GONE), GONE)
            return JSONResponse(described(error), status_of(error))

        async def unread(request: Request, _error: Exception) -> JSONResponse:
            return JSONResponse(error_body("The request cannot be read: it has to be a JSON object.", 400), 400)

        async def refused(_request: Request, error: Exception) -> JSONResponse:
            status = getattr(error, "status_code", 500)
            message = {404: "There is nothing at this address.", 405: "This address is asked in another way."}
            said = message.get(status) or str(
                getattr(error, "detail", "The request cannot be read: it has to be JSON.")
            )
            return JSONResponse(error_body(said, status), status)

        for kind in (NotAsked, UserError, Left, Exception):
            app.add_exception_handler(kind, failed)
        app.add_exception_handler(HTTPException, refused)
        app.add_exception_handler(RequestValidationError, unread)

    async def _judged(
        self, request: Request, body: Mapping[str, Any], judge: Callable[[Texts], dict[str, Any]]
    ) -> dict[str, Any]:
        try:
            asked = Texts.model_validate(body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise NotAsked(f"{place}: {first['msg']}", place.split(".")[0] or None) from None
        return await self.engine.do(request.state.request_id, "Reading texts", lambda: judge(asked))

    def _classified(self, asked: Texts) -> dict[str, Any]:
        """Labels of all models in one list: a label that a model does not know has probability 0 there. `thresholds` are those
        of the first model, `thresholds_of` those of each."""
        found = {}
        for name, predictor in self._judges(asked, labels=True):
            found[name] = (tuple(predictor.labels), list(predictor.thresholds), predictor.classify(asked.texts))
        labels = list(dict.fromkeys(label for own, _, _ in found.values() for label in own))
        cuts = {name: _placed(own, given, labels, 0.5) for name, (own, given, _) in found.items() if given}
        out: dict[str, Any] = {
            "labels": labels,
            "thresholds": next(iter(cuts.values()), []),
            "thresholds_of": cuts,
        }
        for name, (own, _, rows) in found.items():
            out[name] = [_placed(own, row, labels, 0.0) for row in rows]
        return out

    def _numbers(self, asked: Texts) -> dict[str, Any]:
        return {name: predictor.values(asked.texts) for name, predictor in self._judges(asked, labels=False)}

    def _judges(self, asked: Texts, *, labels: bool) -> Any:
        for name in asked.models or [n for n in ("tuned", "base") if n in self.models.offer()]:
            offered = self.models.find(name)
            facts = FAMILIES[offered.family]
            if not facts.reads:
                raise NotAsked(f"The model {name!r} writes text: ask it at /v1/chat/completions.", "models")
            if facts.labels is not labels:
                place = "/classify" if facts.labels else "/values"
                raise NotAsked(f"The model {name!r} is asked at {place}.", "models")
            yield name, self.models.loaded(offered)[0].predictor
            self.models.used(offered.weights)


def _placed(own: tuple[str, ...], values: list[float], labels: list[str], missing: float) -> list[float]:
    of = dict(zip(own, values, strict=True))
    return [of.get(label, missing) for label in labels]
