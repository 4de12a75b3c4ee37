"""The one thread that answers what served models are asked: one question after the other, each of which can be left at any
token. Takes the place of transformers' own generation manager, and lets the predictors write."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import strftime
from typing import Any, TypeVar

from transformers.cli.serving.utils import (
    DirectStreamer,
    GenerateManager,
    GenerationState,
    _GenerationCancelled,
    _StreamError,
)

from core.schemas.errors import UserError
from core.schemas.predictor import Decoding
from core.schemas.serving import NotAsked, error_body, told

from .serving import Asked, Offered, Reader, ServedModels, Voice

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class Wanted:
    """How one question is to be answered; handlers read `max_new_tokens`."""

    decoding: Decoding
    stop: tuple[str, ...]
    offered: Offered

    @property
    def max_new_tokens(self) -> int:
        return self.decoding.max_new_tokens


@dataclass
class Outcome:
    """What came of a question. `extra` goes into the reply as its field `tunewell`."""

    text: str = ""
    tokens: int = 0
    finished: bool = False
    extra: dict[str, Any] = field(default_factory=dict)
    error: dict[str, Any] | None = None


class Left(Exception):
    """Whoever asked is gone."""


class _Streamer(DirectStreamer):
    """Streams what a predictor would return: nothing of the tokens that end an answer, and in the end all of the text.

    `held` keeps everything back: a rule of the filter or a stop text may still change what was written so far.
    """

    def __init__(self, reader: Reader, loop: Any, queue: Any, ends: frozenset[int], held: bool) -> None:
        super().__init__(reader._tokenizer, loop, queue)
        self._ends, self._held, self._sent = ends, held, ""

    def put(self, value: Any) -> None:
        if self._first:
            return super().put(value)
        if not self._ends.intersection(value.tolist()):
            super().put(value)

    def _enqueue(self, item: Any) -> None:
        if isinstance(item, str):
            if self._held:
                return
            self._sent += item
        super()._enqueue(item)

    def end(self) -> None:
        """Generation calls this before its result is known; `close` follows."""

    def close(self, outcome: Outcome) -> None:
        self.total_tokens = outcome.tokens
        self._held = False
        if outcome.error is not None:
            return super()._enqueue(_StreamError(""))
        if outcome.text.startswith(self._sent) and len(outcome.text) > len(self._sent):
            self._enqueue(outcome.text[len(self._sent) :])
        super()._enqueue(None)


class Engine(GenerateManager):
    """Answers one question at a time, whatever the model. `leave` ends a question, also one that still waits."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__()
        self.say = say
        self.models: ServedModels | None = None
        self.outcomes: dict[str, Outcome] = {}
        self._left: set[str] = set()
        self._open: set[str] = set()
        self._now = ""
        self._closed = False

    # -- who asks ------------------------------------------------------------------------------------------------------

    def enter(self, request_id: str) -> None:
        self._open.add(request_id)

    def leave(self, request_id: str) -> None:
        """The question is over, or nobody waits for its answer any more: what is being written for it ends at the next token."""
        self._open.discard(request_id)
        self.outcomes.pop(request_id, None)

    def close(self) -> None:
        self._closed = True

    def _kept(self, request_id: str, outcome: Outcome) -> Outcome:
        """The outcome, kept for the reply where somebody still waits for it."""
        if request_id in self._open:
            self.outcomes[request_id] = outcome
        return outcome

    @property
    def busy(self) -> bool:
        """Whether somebody waits for an answer."""
        return bool(self._open)

    def tick(self, _done: int = 0) -> None:
        """Called after every token. Raises Left where nobody waits for more."""
        if self._closed or self._now not in self._open:
            raise Left

    # -- what the thread does ------------------------------------------------------------------------------------------

    async def do(self, request_id: str, what: str, work: Callable[[], T]) -> T:
        """Work for this request, in its turn on the one thread. Raises what the work raises, and Left."""
        done, error = await asyncio.shield(self.async_submit(self._carefully, request_id, what, work))
        if error is not None:
            raise error
        return done

    def _carefully(self, request_id: str, what: str, work: Callable[[], T]) -> tuple[T | None, BaseException | None]:
        """Never raises: the thread of transformers does not survive an answer that nobody takes."""
        try:
            with self._turn(request_id, what):
                return work(), None
        except Exception as error:
            return None, error

    @contextmanager
    def _turn(self, request_id: str, what: str) -> Any:
        self._now = request_id
        self.tick()
        if what:
            self.say(what)
        try:
            yield
        finally:
            self._now = ""
            self.say(f"Ready. Idle since {strftime('%H:%M')}")

    def _answer(self, voice: Voice, inputs: Asked, wanted: Wanted, streamer: _Streamer | None) -> Outcome:
        predictor: Any = voice.predictor
        more: dict[str, Any] = {} if streamer is None else {"streamer": streamer}
        if wanted.stop:
            more |= {"stop_strings": list(wanted.stop), "tokenizer": predictor.tokenizer}
        guard = wanted.offered.guard()
        if streamer is not None:
            streamer._held = bool(wanted.stop) or guard is not None
        (written,) = predictor.generate([inputs["prompt"]], wanted.decoding, **more)
        outcome = Outcome(written.text, written.tokens, written.finished)
        ends = [at for stop in wanted.stop if (at := outcome.text.find(stop)) >= 0]
        if ends:
            outcome.text, outcome.finished = outcome.text[: min(ends)], True
        if guard is not None:
            done = guard.apply(outcome.text)
            if done.hits:
                outcome.text = done.text
                outcome.extra |= {"filtered": done.sentence(), "rules": list(done.rules)}
        room = getattr(predictor, "room", None)
        if room is not None and (left_out := len(inputs["input_ids"]) - room(wanted.decoding)) > 0:
            outcome.extra["left_out"] = (
                left_out  # tokens at the beginning of the prompt, which the model had no room for
            )
        if self.models is not None:
            self.models.used(wanted.offered.weights)
        return outcome

    # -- what the handlers call ----------------------------------------------------------------------------------------

    def generate_streaming(
        self, model: Voice, processor: Reader, inputs: Asked, gen_config: Wanted, request_id: str, **_: Any
    ) -> tuple[asyncio.Queue[Any], _Streamer]:
        queue: asyncio.Queue[Any] = asyncio.Queue()
        predictor: Any = model.predictor
        ends = frozenset(predictor.codec.stop_ids(predictor.model.generation_config.eos_token_id))
        streamer = _Streamer(processor, asyncio.get_running_loop(), queue, ends, held=True)

        def run() -> None:
            _, error = self._carefully(request_id, _doing(gen_config.offered), work)
            if isinstance(error, Left | _GenerationCancelled):
                return streamer.close(Outcome())
            if error is not None:
                streamer.close(self._kept(request_id, Outcome(error=described(error))))

        def work() -> None:
            streamer.close(self._kept(request_id, self._answer(model, inputs, gen_config, streamer)))

        self.submit(run)
        return queue, streamer

    async def generate_non_streaming(
        self, model: Voice, processor: Reader, inputs: Asked, gen_config: Wanted, request_id: str
    ) -> tuple[str, int, range]:
        outcome = await self.do(
            request_id,
            _doing(gen_config.offered),
            lambda: self._answer(model, inputs, gen_config, None),
        )
        self._kept(request_id, outcome)
        return outcome.text, len(inputs["input_ids"]), range(outcome.tokens)


class OneEngine(GenerationState):
    """Gives every model the same thread, so that one answers at a time."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.engine = engine

    def get_manager(self, model_id: str, use_cb: bool = False) -> Engine:
        return self.engine


def _doing(offered: Offered) -> str:
    return f"Answering with {offered.title}"


def described(error: BaseException) -> dict[str, Any]:
    """The error that a client gets. What nobody foresaw goes to the log, without its message: that may hold the question."""
    if isinstance(error, NotAsked):
        return error.as_dict()
    if isinstance(error, UserError):
        return told(error)
    frames = "".join(traceback.format_tb(error.__traceback__))
    log.error("a question could not be answered: %s\n%s", type(error).__name__, frames)
    return error_body(f"The question could not be answered ({type(error).__name__}). The log has the details.", 500)


def status_of(error: BaseException) -> int:
    return error.status if isinstance(error, NotAsked) else 503 if isinstance(error, UserError) else 500
