"""The models of a project behind transformers' own serving: its manager loads them lazily and puts idle ones away, its
handlers speak the protocol, and what they call model and processor are here the very predictors that were evaluated."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

from transformers.cli.serving.model_manager import ModelManager, TimedModel
from transformers.cli.serving.utils import Modality

from core.data.output_filter import OutputFilter
from core.schemas.examples import Message
from core.schemas.families import FAMILIES
from core.schemas.predictor import Predictor
from core.schemas.serving import NotAsked

IDLE_SECONDS = 600
RENEW_SECONDS = 30  # between two notes that a model is in use while it answers
MOST_LOADED = 2
"""Models in memory at a time: a round and what it is compared with. The one that was used longest ago makes room."""


def _unguarded() -> OutputFilter | None:
    return None


@dataclass(frozen=True)
class Offered:
    """A model that can be asked for. `weights` names what is loaded (two ids may be the same round), `title` says it to
    people, `open` loads it (its argument is called after every token), `guard` gives the filter that counts now."""

    weights: str
    title: str
    family: str
    created: float
    open: Callable[[Callable[[int], None]], Predictor | None]
    guard: Callable[[], OutputFilter | None] = _unguarded


Offer = Mapping[str, Offered]


class Asked(dict[str, Any]):
    """A prompt as tokens, as the handlers count them, and as it was asked."""

    def to(self, _device: Any) -> Asked:
        return self


class Reader:
    """What a handler calls the processor: our codec, so that system prompt, chat template and limits are those of the plan."""

    def __init__(self, predictor: Any) -> None:
        self.codec, self._tokenizer = predictor.codec, predictor.tokenizer._tokenizer

    def apply_chat_template(self, messages: Sequence[Mapping[str, str]], **_: Any) -> Asked:
        return self(tuple(Message(role=m["role"], content=m["content"]) for m in messages))

    def __call__(self, prompt: str | tuple[Message, ...], **_: Any) -> Asked:
        return Asked(input_ids=self.codec.prompt_ids(prompt), prompt=prompt)


class Voice:
    """What a handler calls the model. It has no type: a template of transformers for that type would take parts out of the
    answer (thoughts, calls of tools), and what is served is what was tested."""

    device, generation_config, config = "", None, SimpleNamespace(model_type="")

    def __init__(self, name: str, predictor: Predictor) -> None:
        self.name_or_path, self.predictor = name, predictor


class ServedModels(ModelManager):
    """The manager of transformers over the rounds of a project. `offer` is asked anew each time, so that a round that has
    just finished can be asked for; `say` hears what it is doing; `tick` is called after every token of every model."""

    def __init__(
        self,
        offer: Callable[[], Offer],
        say: Callable[[str], None],
        tick: Callable[[int], None],
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        super().__init__(model_timeout=idle_seconds)
        self.offer, self.say, self.tick = offer, say, tick
        self._used: dict[str, float] = {}

    def find(self, name: str) -> Offered:
        """Raises NotAsked where there is no such model."""
        offer = self.offer()
        if name not in offer:
            known = ", ".join(offer)
            raise NotAsked(f"There is no model {name!r} here. There are: {known}.", "model", 404, "model_not_found")
        return offer[name]

    def find_writer(self, name: str) -> Offered:
        """The same for one that writes."""
        offered = self.find(name)
        if FAMILIES[offered.family].reads:
            place = "/classify" if FAMILIES[offered.family].labels else "/values"
            raise NotAsked(f"The model {name!r} writes no text: ask it at {place}.", "model")
        return offered

    def loaded(self, offered: Offered) -> tuple[Voice, Reader]:
        """The model in memory; others make room. Called on the one thread that answers. Raises UserError where its files are
        damaged, and NotAsked where it has no opinion."""
        key = offered.weights
        if key not in self.loaded_models:
            for other in sorted(self.loaded_models, key=lambda k: self._used.get(k, 0.0))[: 1 - MOST_LOADED or None]:
                self._put_away(other)
            self.say(f"Loading {offered.title}")
            predictor = offered.open(partial(self._ticked, key))
            if predictor is None:
                raise NotAsked("The base model has no opinion about this task before it is trained.", "model")
            self.loaded_models[key] = TimedModel(
                Voice(key, predictor), self.model_timeout, Reader(predictor), lambda: self._forget(key)
            )
        self.used(key)
        timed = self.loaded_models[key]
        return timed.model, timed.processor

    def used(self, key: str) -> None:
        """Ten idle minutes count from here."""
        self._used[key] = time.monotonic()
        if timed := self.loaded_models.get(key):
            timed.reset_timer()

    def _ticked(self, key: str, done: int = 0) -> None:
        """After every token: a model that answers is not idle, however long the answer."""
        if time.monotonic() - self._used.get(key, 0.0) > RENEW_SECONDS:
            self.used(key)
        self.tick(done)

    def _put_away(self, key: str) -> None:
        if timed := self.loaded_models.get(key):
            timed.delete_model()

    def _forget(self, key: str) -> None:
        self.loaded_models.pop(key, None)
        self._used.pop(key, None)
        if not self.loaded_models:
            self.say("Ready. No model is in memory; the next question loads it")

    def get_gen_models(self) -> list[dict[str, Any]]:
        """What `/v1/models` lists."""
        return [
            {"id": name, "object": "model", "created": int(o.created), "owned_by": "tunewell"}
            for name, o in self.offer().items()
        ]

    @staticmethod
    def process_model_name(model_id: str) -> str:
        return model_id

    @staticmethod
    def get_model_modality(model: Any, processor: Any = None) -> Modality:
        return Modality.LLM
